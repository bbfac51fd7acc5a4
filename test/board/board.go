// Package board proves the firmware as the board meets it: the arm64 programs on Debian's own kernel in an emulated machine, where every
// driver between the phone and its body is the real one. Its first test proves the rig itself with a probe in the phone's place. It must
// not reach into the phone: it has lines, buses, sound, the service line and the network, as a technician has.
//
//	tests --rig--> QEMU: Debian's kernel, guest (PID 1), probe or phone        rig/usbredir, i2cusb, usbheadset: what hangs on it
//	               |--- network --> test/asterisk                              rig/qtest: GPIO lines, power, picture
package board
