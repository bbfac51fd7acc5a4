//go:build amd64 || arm64

package asound

// What a C compiler makes of <sound/asound.h> on 64-bit machines. A number that differs does not compile: the negative of
// anything but 0 is no Request.
const (
	_ = -(HWRefine ^ 0xc2604110)
	_ = -(SetHW ^ 0xc2604111)
	_ = -(SetSW ^ 0xc0884113)
	_ = -(GetDelay ^ 0x80084121)
	_ = -(Prepare ^ 0x4140)
	_ = -(Start ^ 0x4142)
	_ = -(Drop ^ 0x4143)
	_ = -(WriteI ^ 0x40184150)
	_ = -(ReadI ^ 0x80184151)
	_ = -(GetCard ^ 0x81785501)
	_ = -(ElemList ^ 0xc0505510)
	_ = -(ElemInfo ^ 0xc1105511)
	_ = -(ElemRead ^ 0xc4c85512)
	_ = -(ElemSet ^ 0xc4c85513)
	_ = -(TLVRead ^ 0xc008551a)
)
