package journal

import (
	"bytes"
	"errors"
	"slices"
)

// A disk is a folder that loses power or fails at the operation it is told. Of what was not synced, any beginning may
// have reached it, and the rest of a file may be zeros; of what happened to names, any beginning.
type disk struct {
	names   map[string]*inode
	changes []func(names map[string]*inode) // of names since the last sync
	durable map[string]*inode

	operations int
	powerAt    int         // the operation during which the power goes; 0: never
	failAt     int         // the operation that fails; 0: none
	reached    int         // of a write that is cut or fails, how many bytes are written
	lengths    map[int]int // bytes of each write, by its operation
}

type inode struct {
	data   []byte
	synced int
}

type powerCut struct{}

var errDisk = errors.New("input/output error")

func newDisk() *disk {
	return &disk{names: map[string]*inode{}, durable: map[string]*inode{}, lengths: map[int]int{}}
}

// step is one operation.
func (d *disk) step() error {
	d.operations++
	if d.operations == d.powerAt {
		panic(powerCut{})
	}
	if d.operations == d.failAt {
		return errDisk
	}
	return nil
}

func (d *disk) change(do func(names map[string]*inode)) {
	do(d.names)
	d.changes = append(d.changes, do)
}

func (d *disk) read(name string) ([]byte, error) {
	if err := d.step(); err != nil {
		return nil, err
	}
	if node := d.names[name]; node != nil {
		return bytes.Clone(node.data), nil
	}
	return nil, nil
}

func (d *disk) create(name string) (file, error) {
	if err := d.step(); err != nil {
		return nil, err
	}
	if node := d.names[name]; node != nil {
		node.data, node.synced = nil, 0
		return handle{d, node}, nil
	}
	node := &inode{}
	d.change(func(names map[string]*inode) { names[name] = node })
	return handle{d, node}, nil
}

func (d *disk) extend(name string) (file, error) {
	if err := d.step(); err != nil {
		return nil, err
	}
	return handle{d, d.names[name]}, nil
}

func (d *disk) rename(from, to string) error {
	if err := d.step(); err != nil {
		return err
	}
	d.change(func(names map[string]*inode) {
		if node := names[from]; node != nil {
			names[to] = node
			delete(names, from)
		}
	})
	return nil
}

func (d *disk) sync() error {
	if err := d.step(); err != nil {
		return err
	}
	for _, change := range d.changes {
		change(d.durable)
	}
	d.changes = nil
	return nil
}

type handle struct {
	d    *disk
	node *inode
}

func (h handle) Write(data []byte) (int, error) {
	h.d.lengths[h.d.operations+1] = len(data)
	n := min(h.d.reached, len(data))
	cut := h.d.operations+1 == h.d.powerAt || h.d.operations+1 == h.d.failAt
	if cut {
		h.node.data = append(h.node.data, data[:n]...)
	}
	if err := h.d.step(); err != nil {
		return n, err
	}
	h.node.data = append(h.node.data, data...)
	return len(data), nil
}

func (h handle) Sync() error {
	if err := h.d.step(); err != nil {
		return err
	}
	h.node.synced = len(h.node.data)
	return nil
}

func (h handle) Close() error { return h.d.step() }

// after yields every disk that may be found when the power is back: with each beginning of the changes of names, each
// beginning of what was not synced of the journal, and the rest missing or zero.
func (d *disk) after(name string) []*disk {
	var found []*disk
	for n := range len(d.changes) + 1 {
		names := map[string]*inode{}
		for key, node := range d.durable {
			names[key] = node
		}
		for _, change := range d.changes[:n] {
			change(names)
		}
		node := names[name]
		if node == nil {
			node = &inode{}
		}
		for kept := node.synced; kept <= len(node.data); kept++ {
			short := bytes.Clone(node.data[:kept])
			zeros := append(bytes.Clone(short), make([]byte, len(node.data)-kept)...)
			for _, data := range slices.CompactFunc([][]byte{short, zeros}, bytes.Equal) {
				back := newDisk()
				back.names[name] = &inode{data, len(data)}
				back.durable[name] = back.names[name]
				found = append(found, back)
			}
		}
	}
	return found
}
