package bench

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"lambdakappa/datagen"
	"lambdakappa/internal/eventlog"
)

// A workload is what a run publishes: a spec, or recorded input.
type workload struct {
	spec    datagen.Spec
	csv     string        // file of recorded input; "" for the spec
	speedup float64       // see [Pace]
	live    time.Time     // where history ends, see [Pace]; zero when there is none
	packed  bool          // the generator compresses what it appends
	shift   time.Duration // from intended times to the wall clock, see [Pace]
}

// sentFrom returns the workload with its first event due at a moment of the wall clock.
func (w workload) sentFrom(at time.Time) workload {
	w.shift = at.Sub(w.spec.Start)
	return w
}

// onTheClock is the spec with intended times of the wall clock.
func (w workload) onTheClock() datagen.Spec {
	spec := w.spec
	spec.Start = spec.Start.Add(w.shift)
	return spec
}

// A plan is a workload's events in the order in which they are to be sent.
type plan struct {
	datagen.Source
	io.Closer
}

// open returns the events of the workload from the beginning.
func (w workload) open() (plan, error) {
	if w.csv == "" {
		return plan{w.spec.Stream(), io.NopCloser(nil)}, nil
	}
	f, err := os.Open(w.csv)
	if err != nil {
		return plan{}, fmt.Errorf("open recorded input: %w", err)
	}
	return plan{datagen.ReadRecording(f), f}, nil
}

// clean reports whether no event can be late, doubled or broken. Nobody can promise that of
// recorded input.
func (w workload) clean() bool {
	d := w.spec.Disturbances
	d.BurstFactor, d.BurstEvery, d.BurstLength = 0, 0, 0 // more of them, each in its place
	return w.csv == "" && d == (datagen.Disturbances{})
}

// args are the arguments of the generator process for this workload.
func (w workload) args() []string {
	args := []string{"datagen", "--speedup", strconv.FormatFloat(w.speedup, 'g', -1, 64)}
	if w.packed {
		args = append(args, "--compression", eventlog.Zstd)
	}
	if w.csv != "" {
		return append(args, "--input", "csv:"+w.csv)
	}
	args = append(args,
		"--seed", strconv.FormatUint(w.spec.Seed, 10),
		"--cars", strconv.Itoa(w.spec.Cars),
		"--rate", strconv.FormatFloat(w.spec.Rate, 'g', -1, 64),
		"--duration", w.spec.Duration.String(),
		"--start", w.spec.Start.UTC().Format(time.RFC3339Nano),
	)
	if w.spec.SchemaFrom > 0 { //bench:change field
		args = append(args, "--schema-from", w.spec.SchemaFrom.String())
	}
	if d := w.spec.Disturbances.String(); d != "" {
		args = append(args, "--disturb", d)
	}
	if !w.live.IsZero() {
		args = append(args, "--live-from", w.live.UTC().Format(time.RFC3339Nano))
	}
	if w.shift != 0 {
		args = append(args, "--shift", w.shift.String())
	}
	return args
}

// parseInput reads the value of --input: csv:FILE.
func parseInput(input string) (csv string, err error) {
	if input == "" {
		return "", nil
	}
	file, ok := strings.CutPrefix(input, "csv:")
	if !ok || file == "" {
		return "", fmt.Errorf("input %q: takes csv:FILE", input)
	}
	if _, err := os.Stat(file); err != nil {
		return "", fmt.Errorf("input %q: %w", input, err)
	}
	return file, nil
}

// span is the time between the first and the last event.
func (w workload) span() (time.Duration, error) {
	p, err := w.open()
	if err != nil {
		return 0, err
	}
	defer p.Close()
	var e datagen.Planned
	var first, last int64
	for p.Next(&e) {
		if first == 0 {
			first = e.Intended
		}
		last = e.Intended
	}
	if s, ok := p.Source.(interface{ Err() error }); ok && s.Err() != nil {
		return 0, s.Err()
	}
	return time.Duration(last - first), nil
}
