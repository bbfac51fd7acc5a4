package headset

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"freizeichen/hal"
)

// Times and sizes of the watch.
const (
	settleTime = time.Second      // after a change: only then udev has set the owner of the node
	rescanTime = 30 * time.Second // without any announcement, in case one was lost
	delayMax   = 30 * time.Second // between two tries to open a device that fails
	// devicesMax is more headsets than one agent has ears for; what is beyond stays unopened.
	devicesMax = 8
	// inputMax holds what eight headsets say while the owner is away for a moment; the kernel keeps 64 reports more for each.
	inputMax = 64
	// readMax is longer than any report with telephony in it.
	readMax = 4096
	// writeTime bounds a write where the device has deadlines; the kernel gives a USB headset 5 s by itself.
	writeTime = 2 * time.Second
)

// Config is what a Watcher needs. All functions are called by Run's goroutine, one at a time, and must not block; nil ones
// are left out.
type Config struct {
	Change func(hal.HeadsetChange) // keys, and that the first headset came or the last one went
	Found  func(Device)            // this one is open
	Gone   func(Device)            // this one is not any more
	Log    *slog.Logger            // nil is silent
	Sys    string                  // where sysfs is mounted; empty is /sys
	Dev    string                  // where the nodes are; empty is /dev
}

// A Watcher finds the USB headsets, opens them whenever they are plugged in and speaks with all of them alike.
type Watcher struct {
	config Config
	open   func(found) (io.ReadWriteCloser, error)
	listen func() (io.ReadCloser, error)
	wake   chan struct{} // Show has something new

	mu    sync.Mutex
	shown hal.HeadsetLamps
}

// NewWatcher prepares a Watcher; Run does the work.
func NewWatcher(config Config) *Watcher {
	config.Sys, config.Dev = cmp.Or(config.Sys, "/sys"), cmp.Or(config.Dev, "/dev")
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Change == nil {
		config.Change = func(hal.HeadsetChange) {}
	}
	if config.Found == nil {
		config.Found = func(Device) {}
	}
	if config.Gone == nil {
		config.Gone = func(Device) {}
	}
	return &Watcher{config: config, open: open, listen: listen, wake: make(chan struct{}, 1)}
}

// Show is what all headsets shall show from now on. It never blocks; only the latest counts.
func (w *Watcher) Show(lamps hal.HeadsetLamps) {
	w.mu.Lock()
	w.shown = lamps
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Run watches until ctx ends. It returns when everything is closed, which a headset that hangs can delay by the kernel's
// 5 s. A system without announcements is only slower: it is looked at every rescanTime.
func (w *Watcher) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	r := run{Watcher: w, devices: map[string]*device{}, failed: map[string]failure{},
		events: make(chan event, inputMax), announced: make(chan struct{}, 1), done: ctx.Done()}
	defer r.workers.Wait()
	defer cancel()
	if source, err := w.listen(); err != nil {
		w.config.Log.Warn("headsets that are plugged in are seen late", "err", err)
	} else {
		defer source.Close()
		r.workers.Go(func() { r.hear(source) })
	}
	r.loop(ctx)
	for name := range r.devices {
		r.close(name)
	}
}

// A run is the state of Run; its goroutine alone owns it.
type run struct {
	*Watcher
	devices   map[string]*device // by name: hidraw3
	failed    map[string]failure
	rescan    time.Time // when to look again
	events    chan event
	announced chan struct{}
	done      <-chan struct{}
	workers   sync.WaitGroup
}

// A failure is a device that could not be opened or broke at once.
type failure struct {
	next  time.Time
	delay time.Duration
}

// A device is a headset that is open. Its reader and its writer are goroutines of their own: both may hang.
type device struct {
	Device
	name    string
	headset *Headset
	file    io.ReadWriteCloser
	write   chan [][]byte // one batch at a time
	busy    bool          // a batch is with the writer
	opened  time.Time
}

// An event is what a reader or a writer of a device reports: a report, or how the batch or the device ended.
type event struct {
	device *device
	report []byte
	wrote  bool
	err    error
}

func (r *run) loop(ctx context.Context) {
	r.scan(time.Now())
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(max(0, time.Until(r.deadline())))
		select {
		case <-ctx.Done():
			return
		case <-r.announced:
			now := time.Now()
			r.scan(now)
			r.again(now.Add(settleTime))
		case e := <-r.events:
			r.take(time.Now(), e)
		case <-r.wake:
			r.show(time.Now())
		case <-timer.C:
			r.tick(time.Now())
		}
	}
}

// deadline is when something is to be done without an event.
func (r *run) deadline() time.Time {
	first := r.rescan
	for _, d := range r.devices {
		if t := d.headset.Deadline(); !t.IsZero() && t.Before(first) && !d.busy {
			first = t
		}
	}
	return first
}

func (r *run) again(at time.Time) {
	if at.Before(r.rescan) {
		r.rescan = at
	}
}

func (r *run) tick(now time.Time) {
	for _, d := range r.devices {
		r.tell(d.headset.Tick(now))
		r.send(now, d)
	}
	if !now.Before(r.rescan) {
		r.scan(now)
	}
}

func (r *run) show(now time.Time) {
	r.mu.Lock()
	lamps := r.shown
	r.mu.Unlock()
	for _, d := range r.devices {
		d.headset.Show(now, lamps)
		r.send(now, d)
	}
}

// send hands over what is to be written, unless the writer still has something: then it is asked again afterwards.
func (r *run) send(now time.Time, d *device) {
	if d.busy {
		return
	}
	if reports := d.headset.Reports(now); len(reports) > 0 {
		d.busy = true
		d.write <- reports
	}
}

func (r *run) tell(changes []hal.HeadsetChange) {
	for _, c := range changes {
		r.config.Change(c)
	}
}

func (r *run) take(now time.Time, e event) {
	d := e.device
	if r.devices[d.name] != d {
		return // it has been closed meanwhile
	}
	switch {
	case e.wrote:
		d.busy = false
		d.headset.Sent(now, e.err == nil)
		if e.err != nil {
			r.config.Log.Warn("headset does not take what it shall show", "device", d.Path, "name", d.Name, "err", e.err)
		}
		r.send(now, d)
	case e.err != nil:
		r.config.Log.Info("headset is gone", "device", d.Path, "name", d.Name, "reason", e.err)
		r.close(d.name)
		r.config.Gone(d.Device)
		if now.Sub(d.opened) < settleTime {
			r.fail(now, d.name)
		} else {
			delete(r.failed, d.name)
		}
		if len(r.devices) == 0 {
			r.tell([]hal.HeadsetChange{{Action: hal.HeadsetUnplugged}})
		}
		r.again(now.Add(settleTime))
	default:
		r.tell(d.headset.Input(now, e.report))
		r.send(now, d)
	}
}

// scan opens the headsets that came. Those that went say so themselves: reading from them fails.
func (r *run) scan(now time.Time) {
	r.rescan = now.Add(rescanTime)
	headsets, all, err := r.config.list()
	if err != nil {
		r.config.Log.Warn("raw HID devices cannot be listed", "err", err)
		return
	}
	maps.DeleteFunc(r.failed, func(name string, _ failure) bool { return !all[name] })
	for _, name := range slices.Sorted(maps.Keys(headsets)) {
		if r.devices[name] != nil || len(r.devices) == devicesMax {
			continue
		}
		if f, ok := r.failed[name]; ok && now.Before(f.next) {
			r.again(f.next)
			continue
		}
		r.begin(now, name, headsets[name])
	}
}

// begin opens one headset and tells it what to show.
func (r *run) begin(now time.Time, name string, f found) {
	file, err := r.open(f)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) && r.failed[name].delay == settleTime { // once, when udev has had its time
			r.config.Log.Warn("headset may not be opened: a udev rule must give its node to the phone's user", "device", f.device.Path, "name", f.device.Name, "err", err)
		} else {
			r.config.Log.Debug("headset cannot be opened yet", "device", f.device.Path, "err", err)
		}
		r.fail(now, name)
		return
	}
	headset, err := New(f.descriptor)
	if err != nil {
		file.Close()
		r.fail(now, name)
		return
	}
	d := &device{Device: f.device, name: name, headset: headset, file: file, write: make(chan [][]byte, 1), opened: now}
	r.devices[name] = d
	r.workers.Go(func() { r.read(d) })
	r.workers.Go(func() { r.writer(d) })
	r.config.Log.Info("headset", "device", d.Path, "name", d.Name, "verdict", d.Conformance.String())
	r.config.Found(d.Device)
	if len(r.devices) == 1 {
		r.tell([]hal.HeadsetChange{{Action: hal.HeadsetPlugged}})
	}
	r.mu.Lock()
	lamps := r.shown
	r.mu.Unlock()
	d.headset.Show(now, lamps)
	r.send(now, d)
}

func (r *run) fail(now time.Time, name string) {
	delay := min(max(settleTime, 2*r.failed[name].delay), delayMax)
	r.failed[name] = failure{now.Add(delay), delay}
	r.again(now.Add(delay))
}

// close lets a device go. Its writer closes the file: closing waits for a write that hangs.
func (r *run) close(name string) {
	d := r.devices[name]
	delete(r.devices, name)
	close(d.write)
	if f, ok := d.file.(interface{ SetReadDeadline(time.Time) error }); ok {
		_ = f.SetReadDeadline(time.Unix(1, 0)) // best effort: the close that follows ends the read, too
	}
}

// report hands an event to the loop, unless that has ended.
func (r *run) report(e event) bool {
	select {
	case r.events <- e:
		return true
	case <-r.done:
		return false
	}
}

func (r *run) read(d *device) {
	buffer := make([]byte, readMax)
	for {
		n, err := d.file.Read(buffer)
		if err != nil {
			r.report(event{device: d, err: err})
			return
		}
		if n > 0 && !r.report(event{device: d, report: slices.Clone(buffer[:n])}) {
			return
		}
	}
}

func (r *run) writer(d *device) {
	defer d.file.Close()
	for batch := range d.write {
		var err error
		for _, report := range batch {
			if f, ok := d.file.(interface{ SetWriteDeadline(time.Time) error }); ok {
				_ = f.SetWriteDeadline(time.Now().Add(writeTime)) // a device without deadlines has the kernel's own
			}
			if _, err = d.file.Write(report); err != nil {
				break
			}
		}
		if !r.report(event{device: d, wrote: true, err: err}) {
			return
		}
	}
}

// hear waits for announcements. What cannot be read, such as too many at once, may have been one.
func (r *run) hear(source io.ReadCloser) {
	buffer := make([]byte, 8192) // UEVENT_BUFFER_SIZE is 2048
	for {
		n, err := source.Read(buffer)
		if errors.Is(err, fs.ErrClosed) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) {
			return
		}
		if err == nil && !announces(buffer[:n]) {
			continue
		}
		select {
		case r.announced <- struct{}{}:
		default:
		}
		if err != nil {
			select {
			case <-time.After(settleTime):
			case <-r.done:
				return
			}
		}
	}
}
