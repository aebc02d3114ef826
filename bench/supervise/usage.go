package supervise

import (
	"context"
	"slices"
	"time"

	"lambdakappa/internal/proc"
)

// sampleEvery is how often the kernel's figures of every component are read: often enough that a
// kill loses little of them, seldom enough to cost nothing (a few small files of /proc each).
const sampleEvery = 250 * time.Millisecond

// Usage is what processes took from the machine, by the kernel's own accounting.
type Usage struct {
	CPU           float64 // seconds, user and system
	RSS           int64   // bytes of resident memory of the process that runs now; 0 when none does
	Peak          int64   // bytes of resident memory at most, 0 when the system does not say
	Read, Written int64   // bytes of storage I/O, 0 when the system does not say
}

// Then adds the usage of a later process of the same component.
func (u Usage) Then(next Usage) Usage {
	return Usage{
		CPU: u.CPU + next.CPU, RSS: next.RSS, Peak: max(u.Peak, next.Peak),
		Read: u.Read + next.Read, Written: u.Written + next.Written,
	}
}

// sample looks at all components until ctx ends.
func (s *Supervisor) sample(ctx context.Context) {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			for _, c := range s.All() {
				c.look()
			}
		case <-ctx.Done():
			return
		}
	}
}

// All returns all components, in the order of their first start.
func (s *Supervisor) All() []*Component {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*Component(nil), s.components...)
}

// Forget lets go of a component that has ended and will not run again: who starts some all the time keeps no trace
// of them but their logs.
func (s *Supervisor) Forget(c *Component) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.components = slices.DeleteFunc(s.components, func(one *Component) bool { return one == c })
}

// look reads the figures of the current process while it is alive.
func (c *Component) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current == nil {
		return
	}
	figures, err := proc.Read(c.current.cmd.Process.Pid)
	if err != nil || figures.CPUSeconds < c.seen.CPU {
		return // it has ended: what was seen last stands
	}
	c.seen = Usage{
		CPU: figures.CPUSeconds, RSS: figures.RSSBytes, Peak: max(c.seen.Peak, figures.PeakRSSBytes),
		Read: figures.ReadBytes, Written: figures.WrittenBytes,
	}
}

// settle closes the account of a process that has ended.
func (c *Component) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current == nil {
		return
	}
	if state := c.current.cmd.ProcessState; state != nil {
		c.seen.RSS, c.seen.CPU = 0, max(c.seen.CPU, (state.UserTime()+state.SystemTime()).Seconds())
	}
	c.spent, c.seen, c.current = c.spent.Then(c.seen), Usage{}, nil
}

// Used returns what the component took so far, over all its processes.
func (c *Component) Used() Usage {
	c.look()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.spent.Then(c.seen)
}
