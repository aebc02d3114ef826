// Package httpapi is the serving API that both architectures offer: parameters, formats, blocking
// queries, status and metrics. What the answers are is each side's own business (see [Answers]).
//
// Rows are newline-delimited JSON, or an Arrow IPC stream when the Accept header asks for it; both
// carry the same fields. A mean is served as a float64 that was divided once, and beside it the
// exact sum (int64, units of 2^-24), so that a reader can rebuild the row and compare it with ==.
// Every answer names the version and the generation that it comes from: rows in the response
// headers, JSON objects in fields as well. Bad input is an [Error] that names the parameter.
//
// # Paths
//
//	GET /v1/windows?from=&to=[&car=][&layer=]
//	GET /v1/alerts?from=&to=[&car=][&layer=]
//	GET /v1/trips?from=&to=[&car=][&layer=]
//	GET /v1/cars/{car}/windows/latest[?after_seq=N&wait=1s][&layer=]
//	GET /v1/status
//	GET /metrics
//
// A side that keeps rows for a while only (--view-retention) says in its status from which event time on it
// answers everything: kept_from, Unix ms, which is absent while it keeps all. It is the latest of its
// partitions; of one car it is that of the car's. A range of windows or alerts that ends at it or before is
// answered 410, and the error is about the parameter to. Of a range that begins before it there is what is left: rows
// of partitions that are behind, and trips that have begun before it and ended after it. A car whose rows are all
// gone has no latest window, and a reading of a window that is gone may be named as visible or not.
//
// from and to are RFC 3339 or Unix ms and may be left out, layer is merged, batch or speed where a
// side has layers. A trip is in the range when it begins there; a system that keeps no trips answers
// 404. With after_seq the answer waits, up to wait, for a reading with a greater seq.
//
// [Client] reads what [Handler] writes.
package httpapi

import (
	"context"
	"math"

	"lambdakappa/view"
)

// Layer selects whose answer is wanted. Kappa has only Merged.
type Layer string

// The layers. Merged is the default.
const (
	Merged Layer = "merged"
	Batch  Layer = "batch"
	Speed  Layer = "speed"
)

// A Range selects rows: window_start (windows), event time (alerts) or trip_start (trips) in
// [From, To), Unix ms.
type Range struct {
	From, To int64
	Car      string // "" is all cars
	Layer    Layer  // "" is the default layer; an [Answers] never sees it
}

// All selects every row of every car in the default layer.
func All() Range { return Range{From: math.MinInt64, To: math.MaxInt64} }

// A Stamp names what an answer was computed from. Every response carries it.
type Stamp struct {
	Version    string `json:"version"`    // the one version that all rows of the answer come from
	Generation int64  `json:"generation"` // Lambda: of the pair (batch, speed); Kappa: 0

	// Mistake says what the side gets wrong on purpose, several with commas; "" is nothing.
	Mistake string `json:"mistake,omitempty"`
}

// MaxVisible is how far behind the greatest visible seq readings are still named. It bounds what an
// answer costs, whatever the car's history, and what a side has to remember of it: 128 bytes as a
// bitmap. A car that sends 30 readings a second may be asked as rarely as [MaxWait] allows.
const MaxVisible = 1024

// Latest is the answer to a point query.
type Latest struct {
	Stamp
	Car     string      // echoed
	LastSeq int64       // greatest seq visible in any window of the car
	Visible []int64     // the visible seqs above after_seq and above LastSeq - MaxVisible, ascending
	Window  view.Window // the car's window with the greatest start
}

// PartitionStatus says how far the *served answers* reflect one partition of the log.
type PartitionStatus struct {
	Partition     int   `json:"partition"`
	Boundary      int64 `json:"boundary"`       // Lambda: first offset not covered by the batch view; Kappa: 0
	Position      int64 `json:"position"`       // the answers reflect offsets [0, Position)
	EndOffset     int64 `json:"end_offset"`     // of the log, at most a second old
	Watermark     int64 `json:"watermark"`      // Unix ms; event.NoWatermark when nothing was read
	NewestAppend  int64 `json:"newest_append"`  // append time (Unix ms) of the newest event in the answer; 0 when none
	BatchPosition int64 `json:"batch_position"` // layer=batch alone; Kappa: 0
	BatchNewest   int64 `json:"batch_newest"`   // newest append time in the batch view alone; Kappa: 0
}

// Status is the answer of /v1/status.
type Status struct {
	Architecture string `json:"architecture"` // "lambda" or "kappa"
	Stamp
	Views      view.Set          `json:"views"`               // that are answered
	Candidate  string            `json:"candidate,omitempty"` // a view that is being built beside the live one
	Partitions []PartitionStatus `json:"partitions"`
	KeptFrom   int64             `json:"kept_from,omitempty"` // answers have everything of event times from here on, Unix ms; 0: of all
	Lag        int64             `json:"lag"`                 // sum over partitions of EndOffset - Position
	Counters   view.Counters     `json:"counters"`            // of the served answers
	Rows       struct {
		Windows int `json:"windows"`
		Alerts  int `json:"alerts"`
		Trips   int `json:"trips"` //bench:change view
	} `json:"rows"`
}

// Answers is what a side implements. All methods are safe for concurrent use. Each answer comes
// from one version, and an answer that was asked for after another reflects, of every car, at least
// as much of the log; two cars in one answer may be of slightly different moments. The returned
// slices are the caller's.
type Answers interface {
	// Layers lists what ?layer= may be; the first is the default.
	Layers() []Layer
	// Windows and Alerts return the rows in the range, in no particular order.
	Windows(r Range) ([]view.Window, Stamp)
	Alerts(r Range) ([]view.Alert, Stamp)
	// Trips returns those that begin in the range, in no particular order; false when trips are not
	// kept.
	Trips(r Range) ([]view.Trip, Stamp, bool) //bench:change view
	// Latest answers a point query; false when the car has no row. With afterSeq >= 0 it waits
	// until a reading with a greater seq is visible, or ctx ends (then it answers what is there;
	// a query that shall not wait comes with a ctx that has ended). With afterSeq < 0 it names no
	// readings. Stamp is set in every case.
	Latest(ctx context.Context, car string, afterSeq int64, layer Layer) (Latest, bool)
	// KeptFrom returns the event time (Unix ms) from which on the answers about a car, or about all cars
	// for "", have everything: rows before it may be dropped. It is 0 while none is, and never goes back.
	KeptFrom(car string) int64
	Status() Status
}
