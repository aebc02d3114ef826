package httpapi

import (
	"context"
	"slices"
	"sync"

	"lambdakappa/event"
	"lambdakappa/view"
)

// fake answers from slices, by the rules of [Answers].
type fake struct {
	layers []Layer
	stamp  Stamp

	mu      sync.Mutex
	windows []view.Window
	alerts  []view.Alert
	trips   []view.Trip
	noTrips bool
	seqs    map[string][]int64 // visible, ascending
	changed chan struct{}      // closed at every change
	asked   Range              // by the last range query

	keptFrom map[string]int64 // by car
}

func newFake(layers ...Layer) *fake {
	return &fake{
		layers:  layers,
		stamp:   Stamp{Version: "v2", Generation: 7},
		seqs:    map[string][]int64{},
		changed: make(chan struct{}),
	}
}

// see makes one more reading visible.
func (f *fake) see(car string, seq int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := view.Window{WindowKey: view.WindowKey{CarID: car, Start: 10_000}, Tally: view.EmptyTally()}
	w.Merge(&view.Tally{Readings: 1, SpeedSum: view.Fixed(20.5), SpeedMax: 20.5, LastSeq: seq})
	f.windows = append(f.windows, w)
	f.seqs[car] = append(f.seqs[car], seq)
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fake) Layers() []Layer { return f.layers }

func (f *fake) Windows(r Range) ([]view.Window, Stamp) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = r
	return slices.Clone(f.windows), f.stamp
}

func (f *fake) Alerts(r Range) ([]view.Alert, Stamp) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = r
	return slices.Clone(f.alerts), f.stamp
}

func (f *fake) Trips(r Range) ([]view.Trip, Stamp, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = r
	return slices.Clone(f.trips), f.stamp, !f.noTrips
}

func (f *fake) Latest(ctx context.Context, car string, afterSeq int64, layer Layer) (Latest, bool) {
	for {
		latest, found, changed := f.latest(car, afterSeq)
		if afterSeq < 0 || latest.LastSeq > afterSeq {
			return latest, found
		}
		select {
		case <-ctx.Done():
			return latest, found
		case <-changed:
		}
	}
}

func (f *fake) latest(car string, afterSeq int64) (Latest, bool, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := Latest{Stamp: f.stamp, Car: car, LastSeq: -1}
	found := false
	for i := range f.windows {
		if f.windows[i].CarID == car {
			l.Window, found = f.windows[i], true
			l.LastSeq = max(l.LastSeq, f.windows[i].LastSeq)
		}
	}
	for _, seq := range f.seqs[car] {
		if afterSeq >= 0 && seq > max(afterSeq, l.LastSeq-MaxVisible) {
			l.Visible = append(l.Visible, seq)
		}
	}
	return l, found, f.changed
}

func (f *fake) KeptFrom(car string) int64 { return f.keptFrom[car] }

func (f *fake) Status() Status {
	s := Status{
		KeptFrom:     f.keptFrom[""],
		Architecture: "lambda",
		Stamp:        f.stamp,
		Views:        view.All,
		Partitions: []PartitionStatus{
			{Partition: 0, Boundary: 3, Position: 5, EndOffset: 9, Watermark: 12_000, NewestAppend: 14_000},
			{Partition: 1, Watermark: int64(event.NoWatermark)},
		},
		Lag: 4,
		Counters: view.Counters{
			Events:      5,
			DeadLetters: map[event.Reason]int64{event.ReasonFuture: 2},
			DroppedLate: 1, DroppedLateTrips: 3,
		},
	}
	s.Rows.Windows, s.Rows.Alerts, s.Rows.Trips = 2, 1, 4
	return s
}
