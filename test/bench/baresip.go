//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"

	"freizeichen/test/bench/peer"
)

// modules is where Debian puts baresip's modules.
const modules = "/usr/lib/baresip/modules"

// baresip is the phone we compare with, as small as it can be configured: G.711, one account, a control socket, and no
// sound device, as ours.
type baresip struct{ path string }

func findBaresip() (*baresip, error) {
	path, err := exec.LookPath("baresip")
	if err != nil {
		return nil, fmt.Errorf("baresip is not installed (Debian: baresip-core)")
	}
	if _, err := os.Stat(filepath.Join(modules, "aubridge.so")); err != nil {
		return nil, fmt.Errorf("baresip's modules are not in %s", modules)
	}
	return &baresip{path}, nil
}

func (b *baresip) name() string { return "baresip" }

// net_interface takes the address: the interface's name does not help on loopback. aubridge joins what is heard with
// the microphone when both have the same name.
const baresipConfig = `poll_method epoll
sip_listen %[1]s
audio_player aubridge,loop
audio_source aubridge,loop
audio_alert aubridge,alert
audio_level no
rtp_ports %[2]d-%[3]d
rtcp_mux no
jitter_buffer_delay 5-10
rtp_stats no
net_interface 127.0.0.1
module_path %[4]s
module g711.so
module aubridge.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen %[5]s
`

func (b *baresip) command(s seat) (*exec.Cmd, error) {
	account := fmt.Sprintf("<sip:%s@%s;transport=udp>;auth_user=%s;auth_pass=%s;regint=3600;answermode=manual;audio_codecs=pcma\n",
		s.user, s.exchange, s.user, s.password)
	config := fmt.Sprintf(baresipConfig, s.sip, s.rtp, s.rtp+rtpPorts-1, modules, s.command)
	for name, text := range map[string]string{"accounts": account, "config": config} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	return exec.Command(b.path, "-f", s.dir), nil
}

// netstringKeys speaks baresip's ctrl_tcp: JSON in netstrings.
type netstringKeys struct{ conn net.Conn }

func (b *baresip) control(s seat) (control, error) {
	conn, err := net.Dial("tcp4", s.command.String())
	if err != nil {
		return nil, err
	}
	go func() { _, _ = io.Copy(io.Discard, conn) }() // its answers and events, until Close
	return netstringKeys{conn}, nil
}

func (k netstringKeys) lift() error {
	const accept = `{"command":"accept"}`
	if _, err := fmt.Fprintf(k.conn, "%d:%s,", len(accept), accept); err != nil {
		return fmt.Errorf("pressing the answer key: %w", err)
	}
	return nil
}

// check hears our tone: baresip's loop carries it.
func (k netstringKeys) check(s *peer.Stream) error { return s.Check() }

func (k netstringKeys) Close() error { return k.conn.Close() }
