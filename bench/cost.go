package bench

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"lambdakappa/bench/result"
	"lambdakappa/bench/supervise"
	"lambdakappa/internal/eventlog"
)

// A cost is what a run took from the machine until it was settled, the generator and the driver
// left out: both are equal for all arms and belong to none.
type cost struct {
	events  int64
	cpu     float64 // seconds
	peak    int64   // bytes, sum of the components' own peaks
	logDisk int64   // bytes of the input topic
	master  int64   // bytes of the master dataset
	views   int64   // bytes of what else a side wrote: its topics and its files
}

// An account is how things stand at one moment: a start is no part of a steady state, and one arm
// pays nothing for what another one did before.
type account struct {
	used       map[string]supervise.Usage // by component
	brokerDisk int64                      // bytes
}

func (s *system) account(ctx context.Context) (account, error) {
	a := account{used: s.usages()}
	var err error
	a.brokerDisk, _, err = s.brokerBytes(ctx)
	return a, err
}

// usages is what every component has taken so far, by name.
func (s *system) usages() map[string]supervise.Usage {
	all := map[string]supervise.Usage{}
	for _, c := range s.supervisor.All() {
		all[c.Name] = all[c.Name].Then(c.Used())
	}
	return all
}

// costSince is what the broker and the components of the given labels took since base.
func (s *system) costSince(ctx context.Context, base account, events int64, labels ...string) (cost, error) {
	c := cost{events: events}
	for name, u := range s.usages() {
		own := name == brokerName
		for _, label := range labels {
			own = own || belongs(name, s.scenario.like(label))
		}
		if own {
			c.cpu += u.CPU - base.used[name].CPU
			c.peak += u.Peak
		}
	}
	brokerDisk, logDisk, err := s.brokerBytes(ctx)
	if err != nil {
		return c, err
	}
	c.logDisk = logDisk
	// The input topic grew as well, unless it was there before.
	c.views = brokerDisk - max(base.brokerDisk, logDisk)
	return c, s.addFiles(&c, labels)
}

// addFiles adds what the labels' arms have in folders of their own.
func (s *system) addFiles(c *cost, labels []string) error {
	for _, a := range s.arms {
		arm := a.like
		for _, label := range labels {
			if !belongs(s.scenario.like(label), arm) {
				continue
			}
			all, err := diskBytes(filepath.Join(s.dir, arm), "")
			if err != nil {
				return err
			}
			master, err := diskBytes(filepath.Join(s.dir, arm, "master"), "")
			if err != nil {
				return err
			}
			c.master, c.views = c.master+master, c.views+all-master
		}
	}
	return nil
}

// brokerBytes measures what the log takes on disk, in one copy, and the input topic's part of it: the folder
// of the embedded broker, or what a cluster says of the run's topics. Both are 0 where the cluster does not
// let us ask.
func (s *system) brokerBytes(ctx context.Context) (all, cars int64, err error) {
	if s.broker == nil {
		sizes, err := s.log.Bytes(ctx)
		for topic, size := range sizes {
			all += size
			if topic == eventlog.CarsTopic {
				cars = size
			}
		}
		if errors.Is(err, eventlog.ErrRefused) {
			err = nil
		}
		return all, cars, err
	}
	if all, err = diskBytes(s.brokerDir(), ""); err != nil {
		return 0, 0, err
	}
	cars, err = diskBytes(s.brokerDir(), "cars-")
	return all, cars, err
}

// less returns the cost with that of a control run of the same workload taken off: what the
// generator's events alone cost the broker.
func (c cost) less(control cost) result.Cost {
	perMillion := func(cpu float64, events int64) float64 { return cpu / float64(events) * 1e6 }
	r := c.whole()
	if control.events > 0 {
		r.CPUSecondsPerMillionEvents -= perMillion(control.cpu, control.events)
		r.LessControl = true
	}
	return r
}

// slowed is what a control would have cost whose broker has a handicap, as that of a slowed arm has: with
// less taken off, a slowdown of a fifth would be one of a quarter.
func (c cost) slowed(handicap float64) cost {
	c.cpu *= 1 + handicap
	return c
}

// whole returns the cost with nothing taken off.
func (c cost) whole() result.Cost {
	events := float64(max(c.events, 1))
	return result.Cost{
		CPUSecondsPerMillionEvents: c.cpu / events * 1e6,
		PeakRSSBytes:               c.peak,
		BytesPerEvent: result.BytesPerEvent{
			Log: float64(c.logDisk) / events, Master: float64(c.master) / events,
			Views: float64(c.views) / events,
		},
	}
}

// diskBytes sums the files below dir in whose path, relative to dir, an element begins with
// prefix. A file that vanishes meanwhile, or a folder that is not there, counts nothing.
func diskBytes(dir, prefix string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && below(dir, path, prefix) {
			sum += info.Size()
		}
		return err
	})
	return sum, err
}

func below(dir, path, prefix string) bool {
	relative, err := filepath.Rel(dir, path)
	if err != nil {
		return false
	}
	for _, element := range strings.Split(filepath.ToSlash(relative), "/") {
		if strings.HasPrefix(element, prefix) {
			return true
		}
	}
	return false
}
