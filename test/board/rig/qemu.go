package rig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"freizeichen/test/board/rig/usbheadset"
	"freizeichen/test/board/rig/wire"
	"freizeichen/test/tool"
)

// Sockets of the USB ports.
const (
	portBus     = "i2c"
	portHeadset = "headset"
	portHandset = "handset"
)

// arguments is QEMU's command line. Everything the test speaks to is a socket in the test's folder.
func (m *machine) arguments(kernel tool.Kernel) []string {
	socket := func(name string) string {
		return fmt.Sprintf("socket,id=%s,path=%s,server=on,wait=off", name, m.path(name))
	}
	quiet := "quiet "
	if m.board.Verbose {
		quiet = ""
	}
	arguments := []string{
		"-machine", "virt", "-cpu", "cortex-a53", "-smp", "1", "-m", "256", "-display", "none", "-nodefaults", "-no-user-config",
		"-S",         // the wires are set before the kernel starts
		"-no-reboot", // a reset by the watchdog ends QEMU
		"-accel", "tcg",
		"-kernel", kernel.Image(), "-initrd", m.path("initrd"), "-dtb", m.path("board.dtb"),
		"-append", "console=ttyAMA0 " + quiet + "panic=-1 vt.global_cursor_default=0",
		"-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
		"-qtest", "unix:" + m.path("qtest") + ",server=on,wait=off", "-qtest-log", "/dev/null",
		"-qmp", "unix:" + m.path("qmp") + ",server=on,wait=off",
		"-netdev", m.network(), "-device", "virtio-net-pci,netdev=network,id=ethernet,romfile=,speed=1000,duplex=full",
		"-chardev", socket("port"), "-device", "virtio-serial-pci", "-device", "virtserialport,chardev=port,name=" + wire.Port,
		"-device", "qemu-xhci,id=usb,p2=8,p3=1",
		"-chardev", socket("service"), "-device", "usb-serial,chardev=service,bus=usb.0,port=4",
	}
	for i, name := range []string{portBus, portHeadset, portHandset} {
		arguments = append(arguments, "-chardev", socket(name), "-device", fmt.Sprintf("usb-redir,chardev=%s,bus=usb.0,port=%d", name, i+1))
	}
	if m.board.Panel {
		arguments = append(arguments, "-device", "virtio-gpu-pci,xres=320,yres=240,romfile=")
	}
	return arguments
}

// network is user mode networking: no rights are needed. Ports that the host wants to reach are forwarded.
func (m *machine) network() string {
	network := "user,id=network"
	for port, host := range m.board.Forward {
		protocol, number, _ := strings.Cut(port, ":")
		network += fmt.Sprintf(",hostfwd=%s:127.0.0.1:%d-%s:%s", protocol, host, Address, number)
	}
	return network
}

// moduleNames are what every board loads, in this order.
var moduleNames = []string{"virtio_pci", "virtio_console", "virtio_net", "xhci-pci", "i2c-dev", "i2c-tiny-usb", "snd-usb-audio", "usbhid", "hid-generic",
	"hid-jabra", "hid-plantronics", "ftdi_sio", "softdog"}

// prepare writes the first file system: modules, the first process, its orders, the files of the test.
func (m *machine) prepare(kernel tool.Kernel) error {
	names := moduleNames
	if m.board.LEDs {
		names = append(names[:len(names):len(names)], "leds-gpio", "ledtrig-timer")
	}
	if m.board.Panel {
		names = append(names[:len(names):len(names)], "virtio-gpu")
	}
	paths, err := kernel.Modules(names...)
	if err != nil {
		return err
	}
	config := wire.Config{WaitMax: Patience, Permissions: m.board.Permissions, Address: Address + "/24", Gateway: Host,
		Program: m.board.Program, Watchdog: m.board.Watchdog, Wait: append(m.nodes(), m.board.Wait...)}
	if config.Permissions == nil {
		config.Permissions = DevicePermissions()
	}
	var files []File
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("rig: %w", err)
		}
		name := filepath.Base(path)
		config.Modules = append(config.Modules, name)
		files = append(files, File{Path: wire.ModulesDir + "/" + name, Data: data})
	}
	guest, err := build("freizeichen/test/board/guest", machine64...)
	if err != nil {
		return err
	}
	orders, err := json.Marshal(config)
	if err != nil {
		return fmt.Errorf("rig: %w", err)
	}
	files = append(files, File{Path: "/init", Data: guest, Mode: 0o755}, File{Path: "/dev", Dir: true}, File{Path: wire.ConfigPath, Data: orders},
		File{Path: "/etc/hosts", Data: []byte("127.0.0.1 localhost\n" + Host + " host\n")})
	image, err := archive(append(files, m.board.Files...))
	if err != nil {
		return err
	}
	// Not packed: packing and unpacking take longer than reading it.
	if err := os.WriteFile(m.path("initrd"), image, 0o600); err != nil {
		return fmt.Errorf("rig: %w", err)
	}
	return nil
}

// nodes are the devices of this board.
func (m *machine) nodes() []string {
	nodes := []string{"/dev/gpiochip0", "/dev/ttyUSB0", "/dev/watchdog", "/sys/class/net/eth0"}
	if m.board.Bus != nil {
		nodes = append(nodes, "/dev/i2c-0")
	}
	card := 0
	for _, headset := range []*usbheadset.Headset{m.board.Headset, m.board.Handset} {
		if headset != nil {
			nodes = append(nodes, fmt.Sprintf("/dev/snd/pcmC%dD0p", card), fmt.Sprintf("/dev/snd/pcmC%dD0c", card), fmt.Sprintf("/dev/snd/controlC%d", card))
			card++
		}
	}
	if m.board.Panel {
		nodes = append(nodes, "/dev/fb0")
	}
	return nodes
}

// Groups that own the devices, with the numbers that Debian gives the first; the others have none of their own.
const (
	GroupDialout = 20
	GroupAudio   = 29
	GroupVideo   = 44
	GroupInput   = 104
	GroupGPIO    = 993
	GroupI2C     = 994
)

// DevicePermissions are what udev's rules give, those of Debian and those in cmd/phoned/systemd: each kind of device to its group.
func DevicePermissions() []wire.Permission {
	return []wire.Permission{
		{Path: "/dev/gpiochip*", GID: GroupGPIO, Mode: 0o660}, {Path: "/dev/rtc*", GID: GroupGPIO, Mode: 0o660},
		{Path: "/dev/i2c-*", GID: GroupI2C, Mode: 0o660}, {Path: "/dev/snd/*", GID: GroupAudio, Mode: 0o660},
		{Path: "/dev/hidraw*", GID: GroupInput, Mode: 0o660}, {Path: "/dev/ttyUSB*", GID: GroupDialout, Mode: 0o660},
		{Path: "/dev/fb*", GID: GroupVideo, Mode: 0o660},
		{Path: "/sys/class/leds/*/brightness", GID: GroupGPIO, Mode: 0o664}, {Path: "/sys/class/leds/*/trigger", GID: GroupGPIO, Mode: 0o664},
		{Path: "/sys/class/leds/*/delay_o*", GID: GroupGPIO, Mode: 0o664},
	}
}

// Groups are the supplementary groups of the phone's user in cmd/phoned/systemd/phoned.service, after its own.
func Groups(own int) []int {
	return []int{own, GroupAudio, GroupGPIO, GroupI2C, GroupInput, GroupDialout, GroupVideo}
}

// deviceTree takes QEMU's own description of its machine and names the lines of its GPIO chip.
func deviceTree(emulator, fdtput, path string, leds bool) error {
	const chip = "/pl061@9030000" // hw/arm/virt.c
	steps := [][]string{
		{emulator, "-machine", "virt,dumpdtb=" + path, "-cpu", "cortex-a53", "-smp", "1", "-m", "256", "-display", "none", "-nodefaults"},
		append([]string{fdtput, "-t", "s", path, chip, "gpio-line-names"}, lineNames...),
		{fdtput, "-r", path, "/gpio-keys"}, // a power button at line 3
	}
	if leds {
		steps = append(steps, ledSteps(fdtput, path)...)
	}
	for _, step := range steps {
		if out, err := exec.Command(step[0], step[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("rig: device tree: %s: %w: %s", strings.Join(step, " "), err, bytes.TrimSpace(out))
		}
	}
	if _, err := os.Stat(path); err != nil {
		return errors.New("rig: QEMU wrote no device tree")
	}
	return nil
}

// ledSteps makes the lamp lines LEDs of the kernel, after its Documentation/devicetree/bindings/leds/leds-gpio.yaml.
func ledSteps(fdtput, path string) [][]string {
	const handle = "0x7001" // of the GPIO chip; QEMU's own begin at 0x8000
	steps := [][]string{
		{fdtput, "-c", path, "/leds"}, {fdtput, "-t", "s", path, "/leds", "compatible", "gpio-leds"},
		{fdtput, "-t", "x", path, "/pl061@9030000", "phandle", handle},
	}
	for line, name := range map[int]string{LampMessage: "message", LampMute: "mute", LampHeadset: "headset"} {
		node := "/leds/" + name
		steps = append(steps, []string{fdtput, "-c", path, node}, []string{fdtput, "-t", "s", path, node, "label", name},
			[]string{fdtput, "-t", "x", path, node, "gpios", handle, strconv.Itoa(line), "0"})
	}
	return steps
}
