//go:build arm

package asound

// What a C compiler makes of <sound/asound.h> on 32-bit ARM; see layout_64.go.
const (
	_ = -(HWRefine ^ 0xc25c4110)
	_ = -(SetHW ^ 0xc25c4111)
	_ = -(SetSW ^ 0xc0684113)
	_ = -(GetDelay ^ 0x80044121)
	_ = -(Prepare ^ 0x4140)
	_ = -(Start ^ 0x4142)
	_ = -(Drop ^ 0x4143)
	_ = -(WriteI ^ 0x400c4150)
	_ = -(ReadI ^ 0x800c4151)
	_ = -(GetCard ^ 0x81785501)
	_ = -(ElemList ^ 0xc0485510)
	_ = -(ElemInfo ^ 0xc1105511)
	_ = -(ElemRead ^ 0xc2c85512)
	_ = -(ElemSet ^ 0xc2c85513)
	_ = -(TLVRead ^ 0xc008551a)
)
