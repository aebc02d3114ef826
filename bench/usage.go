package bench

import (
	"context"
	"time"

	"lambdakappa/bench/result"
	"lambdakappa/internal/proc"
)

// sampleEvery is how often the kernel's figures of every component are read: often enough that a
// kill loses little of them, seldom enough to cost nothing (a few small files of /proc each).
const sampleEvery = 250 * time.Millisecond

// usage is what processes took from the machine, by the kernel's own accounting.
type usage struct {
	cpu           float64 // seconds, user and system
	peak          int64   // bytes of resident memory at most, 0 when the system does not say
	read, written int64   // bytes of storage I/O, 0 when the system does not say
}

// then adds the usage of a later process of the same component.
func (u usage) then(next usage) usage {
	return usage{
		cpu: u.cpu + next.cpu, peak: max(u.peak, next.peak),
		read: u.read + next.read, written: u.written + next.written,
	}
}

// sample looks at all components until ctx ends.
func (s *supervisor) sample(ctx context.Context) {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			for _, c := range s.all() {
				c.look()
			}
		case <-ctx.Done():
			return
		}
	}
}

func (s *supervisor) all() []*component {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*component(nil), s.components...)
}

// look reads the figures of the current process while it is alive.
func (c *component) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current == nil {
		return
	}
	figures, err := proc.Read(c.current.cmd.Process.Pid)
	if err != nil || figures.CPUSeconds < c.seen.cpu {
		return // it has ended: what was seen last stands
	}
	c.seen = usage{
		cpu: figures.CPUSeconds, peak: max(c.seen.peak, figures.PeakRSSBytes),
		read: figures.ReadBytes, written: figures.WrittenBytes,
	}
}

// settle closes the account of a process that has ended.
func (c *component) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current == nil {
		return
	}
	if state := c.current.cmd.ProcessState; state != nil {
		c.seen.cpu = max(c.seen.cpu, (state.UserTime() + state.SystemTime()).Seconds())
	}
	c.spent, c.seen, c.current = c.spent.then(c.seen), usage{}, nil
}

// used returns what the component took so far, over all its processes.
func (c *component) used() usage {
	c.look()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.spent.then(c.seen)
}

// figures is the component's line in the report.
func (c *component) figures() result.Component {
	u := c.used()
	c.mu.Lock()
	defer c.mu.Unlock()
	return result.Component{
		Name: c.name, CPUSeconds: u.cpu, PeakRSSBytes: u.peak,
		ReadBytes: u.read, WrittenBytes: u.written, Starts: c.starts,
	}
}
