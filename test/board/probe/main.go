//go:build linux

// Probe is a small program in the place of the phone: what it finds on the board by the kernel's real drivers it says by words, so that
// the tests of the rig itself know whether the rig is sound. It is no part of a product.
//
//	probe serve            as a service: the message lamp follows the hook; ready, alive, all as systemd expects it
//	probe i2c ADDRESS      reads 16 bytes of an EEPROM, writes, reads again, asks an address where nobody is
//	probe sound CARD       says 400 Hz, at the second card 500, and tells how much of what it hears is 1000 Hz, at the second 1100
//	probe keys             tells reports of the headset, and lights its ring lamp at the first
//	probe panel            paints /dev/fb0
//	probe line             echoes the service line
//	probe udp ADDRESS      sends a packet and tells the answer
//	probe tcp ADDRESS      listens there, and greets the first who comes
package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/host/v3/sysfs"

	"freizeichen/hal/line"
)

func main() {
	commands := map[string]func(argument string) error{"serve": serve, "i2c": i2c, "sound": sound, "keys": keys, "panel": panel, "line": echo, "udp": udp, "tcp": tcp}
	name, argument := "", ""
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	if len(os.Args) > 2 {
		argument = os.Args[2]
	}
	err := errors.New("no such command")
	if command := commands[name]; command != nil {
		err = command(argument)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "probe %s: %v\n", name, err)
		os.Exit(1)
	}
}

// patience is how long it waits for the test.
const patience = 60 * time.Second

// tell is sd_notify(3).
func tell(state string) error {
	socket, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
	if err != nil {
		return err
	}
	defer socket.Close()
	_, err = socket.Write([]byte(state))
	return err
}

func serve(string) error {
	lamp, err := line.OpenOutput(line.Address{Line: "LAMP_MESSAGE"}, gpio.Low, line.Options{})
	if err != nil {
		return err
	}
	hook, err := line.OpenInput(line.Address{Line: "HOOK"}, gpio.PullNoChange, gpio.BothEdges, line.Options{})
	if err != nil {
		return err
	}
	micros, err := strconv.Atoi(os.Getenv("WATCHDOG_USEC"))
	if err != nil {
		return err
	}
	if err := tell("READY=1\nSTATUS=user " + strconv.Itoa(os.Getuid())); err != nil {
		return err
	}
	go func() {
		for range time.Tick(time.Duration(micros) * time.Microsecond / 2) {
			if err := tell("WATCHDOG=1"); err != nil {
				fmt.Println(err)
			}
		}
	}()
	for {
		edge, err := hook.NextEdge(-1)
		if err != nil {
			return err
		}
		fmt.Println("hook rising:", edge.Rising)
		if err := lamp.Out(gpio.Level(edge.Rising)); err != nil {
			return err
		}
	}
}

func i2c(argument string) error {
	address, err := strconv.ParseUint(argument, 0, 7)
	if err != nil {
		return err
	}
	bus, err := sysfs.NewI2C(0)
	if err != nil {
		return err
	}
	read := make([]byte, 16)
	began := time.Now()
	if err := bus.Tx(uint16(address), []byte{0}, read); err != nil {
		return err
	}
	fmt.Printf("read %q\n", read)
	if err := bus.Tx(uint16(address), []byte("\x04WORLD"), nil); err != nil {
		return err
	}
	if err := bus.Tx(uint16(address), []byte{0}, read); err != nil {
		return err
	}
	fmt.Printf("read %q\n", read)
	fmt.Println("nobody:", bus.Tx(0x29, nil, read[:1]))
	fmt.Println("took", time.Since(began))
	return nil
}

func keys(string) error {
	devices, err := filepath.Glob("/dev/hidraw*")
	if err != nil || len(devices) == 0 {
		return errors.New("no /dev/hidraw")
	}
	device, err := os.OpenFile(devices[0], os.O_RDWR, 0)
	if err != nil {
		return err
	}
	fmt.Println("listening") // not seen before the end: the test presses until something is heard
	deadline := time.AfterFunc(patience, func() { os.Exit(2) })
	defer deadline.Stop()
	report := make([]byte, 64)
	for {
		n, err := device.Read(report)
		if err != nil {
			return err
		}
		fmt.Printf("report % x\n", report[:n])
		if report[0] == 1 && report[1] == 1 {
			_, err := device.Write([]byte{2, 1 << 2})
			return err
		}
	}
}

// panel paints the left half white and the right one black, whatever the pixels look like.
func panel(string) error {
	file, err := os.OpenFile("/dev/fb0", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	size, err := os.ReadFile("/sys/class/graphics/fb0/virtual_size")
	if err != nil {
		return err
	}
	var width, height, stride int
	if _, err := fmt.Sscanf(string(size), "%d,%d", &width, &height); err != nil {
		return err
	}
	text, err := os.ReadFile("/sys/class/graphics/fb0/stride")
	if err != nil {
		return err
	}
	if _, err := fmt.Sscan(string(text), &stride); err != nil {
		return err
	}
	pixels, err := unix.Mmap(int(file.Fd()), 0, stride*height, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	for y := range height {
		for i := range stride / 2 {
			pixels[y*stride+i], pixels[y*stride+stride/2+i] = 0xff, 0
		}
	}
	fmt.Println(width, height, stride)
	return unix.Msync(pixels, unix.MS_SYNC)
}

func echo(string) error {
	port, err := os.OpenFile("/dev/ttyUSB0", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	text, err := bufio.NewReader(port).ReadString('\n')
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(port, "heard %s", text)
	return err
}

func udp(address string) error {
	connection, err := net.Dial("udp", address)
	if err != nil {
		return err
	}
	answer := make([]byte, 1500)
	if _, err := connection.Write([]byte("hello")); err != nil {
		return err
	}
	if err := connection.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	n, err := connection.Read(answer)
	fmt.Printf("answer %s\n", answer[:n])
	return err
}

func tcp(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	guest, err := listener.Accept()
	if err != nil {
		return err
	}
	defer guest.Close()
	_, err = guest.Write([]byte("welcome"))
	return err
}
