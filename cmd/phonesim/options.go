package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"

	"freizeichen/device/console"
	"freizeichen/firmware/config"
	"freizeichen/hal/sim"
)

// options is what the command line decides. What it does not say comes from the configuration file or its defaults.
type options struct {
	config   config.Config
	builtIn  bool // no PBX is named: the exchange in this process is the PBX
	headless bool
	listen   netip.AddrPort // of the page
	socket   string
	sound    sim.Sound
	browser  bool // the sound is the browser's
	verbose  bool
}

func parseOptions(args []string, stderr io.Writer) (options, error) {
	flags := flag.NewFlagSet("phonesim", flag.ContinueOnError)
	flags.SetOutput(stderr)
	file := flags.String("config", "", "configuration `FILE`; phonectl config check FILE explains what is wrong in it")
	pbx := flags.String("pbx", "", "the PBX and the account as one `URI`: sip:USER:PASSWORD@HOST:PORT;transport=udp|tcp (default: the file's account, else an exchange in this process)")
	language := flags.String("language", "", "of the panel: de or en")
	panel := flags.String("panel", "", "mono128x64 or colour320x240")
	headless := flags.Bool("headless", false, "neither page nor exchange: the phone is driven with phonectl")
	listen := flags.String("listen", "127.0.0.1:0", "loopback `ADDRESS` of the page; port 0 is any")
	socket := flags.String("socket", "", "`PATH` of the socket for phonectl (default "+console.DefaultSocket()+")")
	local := flags.String("sip", "", "local `ADDRESS` of SIP: 192.0.2.1:5060, or :5060")
	rtp := flags.String("rtp", "", "`PORTS` of sound: 20000-20999")
	sound := flags.String("sound", "", "null, loop, tone, tone:HZ or wav:IN,OUT (default: the browser's with a page, else null)")
	verbose := flags.Bool("verbose", false, "log what happens, with callers' numbers")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected %q; phonesim -help lists the flags", flags.Arg(0))
	}
	o := options{config: config.Default(), headless: *headless, socket: *socket, verbose: *verbose}
	if o.socket == "" {
		o.socket = console.DefaultSocket()
	}
	var problems []error
	try := func(text string, take func(string) error) {
		if text != "" {
			problems = append(problems, take(text))
		}
	}
	try(*file, o.takeFile)
	try(*pbx, o.takeAccount)
	known := errors.Join(problems...) == nil // else the account may be there, where it cannot be read
	try(*language, o.takeLanguage)
	try(*panel, o.takePanel)
	try(*listen, o.takeListen)
	try(*local, o.takeLocal)
	try(*rtp, o.takeRTP)
	o.browser = !o.headless && *sound == ""
	if *sound == "" {
		*sound = "null"
	}
	try(*sound, o.takeSound)
	o.builtIn = *pbx == "" && len(o.config.Accounts) == 0
	if o.headless && o.builtIn && known {
		problems = append(problems, errors.New("a headless phone needs a PBX: -pbx 'sip:USER:PASSWORD@HOST:PORT', or a -config with an account"))
	}
	return o, errors.Join(problems...)
}

func (o *options) takeFile(path string) (err error) {
	o.config, err = config.Load(path)
	return err
}

func (o *options) takeAccount(uri string) error {
	account, err := config.ParseAccountURL(uri)
	if err != nil {
		return fmt.Errorf("-pbx: %w", err)
	}
	o.config.Accounts = []config.Account{account}
	return nil
}

func (o *options) takeLanguage(tag string) error {
	for _, l := range []config.Language{config.German, config.English} {
		if tag == string(l) {
			o.config.Language = l
			return nil
		}
	}
	return fmt.Errorf("-language: %q is not one of de, en", tag)
}

func (o *options) takePanel(name string) error {
	for _, p := range []config.Panel{config.Mono128x64, config.Colour320x240} {
		if name == string(p) {
			o.config.Panel = p
			return nil
		}
	}
	return fmt.Errorf("-panel: %q is not one of %s, %s", name, config.Mono128x64, config.Colour320x240)
}

func (o *options) takeListen(text string) error {
	address, err := netip.ParseAddrPort(text)
	if err != nil || !address.Addr().IsLoopback() {
		return fmt.Errorf("-listen: %q is not a loopback address with a port, such as 127.0.0.1:8080 (the page has no login)", text)
	}
	o.listen = address
	return nil
}

func (o *options) takeLocal(text string) error {
	if text[0] == ':' {
		text = "0.0.0.0" + text
	}
	address, err := netip.ParseAddrPort(text)
	if err != nil {
		return fmt.Errorf("-sip: %q is not an address with a port, such as 192.0.2.1:5060 or :5060", text)
	}
	o.config.Network.Local = address
	return nil
}

func (o *options) takeRTP(text string) error {
	ports, err := config.ParsePortRange(text)
	if err != nil {
		return fmt.Errorf("-rtp: %w", err)
	}
	o.config.Network.RTP = ports
	return nil
}

func (o *options) takeSound(text string) (err error) {
	if o.sound, err = sim.ParseSound(text); err != nil {
		return fmt.Errorf("-sound: %w", err)
	}
	return nil
}
