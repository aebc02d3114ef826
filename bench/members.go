package bench

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"lambdakappa/bench/fault"
	"lambdakappa/bench/result"
	"lambdakappa/bench/supervise"
)

// join starts one more process of a component, which takes over a share of its partitions.
func (s *system) join(ctx context.Context, name string) error {
	a, err := s.armOf(name)
	if err != nil {
		return err
	}
	s.brokerUp.RLock()
	defer s.brokerUp.RUnlock()
	s.joining.Lock()
	defer s.joining.Unlock()
	as := fmt.Sprintf("%s %d", name, len(s.joined[name])+2) // beside the first
	c, err := s.supervisor.Start(ctx, as, s.env(), s.partArgs(a, partNamed(name))...)
	if err != nil {
		return err
	}
	if s.joined == nil {
		s.joined = map[string][]*supervise.Component{}
	}
	s.joined[name] = append(s.joined[name], c)
	return nil
}

// leave asks the process to end that has joined last.
func (s *system) leave(ctx context.Context, name string) error {
	s.joining.Lock()
	defer s.joining.Unlock()
	n := len(s.joined[name])
	if n == 0 {
		return fmt.Errorf("nobody has joined %s", name)
	}
	c := s.joined[name][n-1]
	s.joined[name] = s.joined[name][:n-1]
	return s.supervisor.Stop(ctx, c)
}

// The figures of who works on which partition.
const (
	figurePause  = "a partition stands still, longest"
	figurePaused = "partitions that stand still, mean of all changes"
)

// The figures of who could write through all that happened.
const (
	figureAcked   = "acknowledged within 1 s of when it was due"
	figureSlowest = "slowest acknowledgement"
)

// measureAvailability says of every arm what the log was to those who write: it is the same log.
func (x *execution) measureAvailability(a Acked) {
	if said := describeOutages(x.began, x.run.Marks, a); said != "" {
		x.run.Notes = append(x.run.Notes, said)
	}
	for _, r := range x.runs() {
		side := x.side(r.Arm)
		side.Figures = append(side.Figures,
			result.Figure{Name: figureAcked, Unit: "%", Value: 100 * a.WithinSecond},
			result.Figure{Name: figureSlowest, Unit: "ms", Value: a.SlowestMs})
	}
}

// describeOutages says for every fault of the log how long it made somebody wait who writes; "" when there
// was none.
func describeOutages(began time.Time, marks []result.Mark, a Acked) string {
	var said []string
	for _, m := range marks {
		if !strings.HasPrefix(m.Name, fault.Broker) {
			continue
		}
		slowest := 0.0
		// What was due a moment before was on its way when it happened.
		for at := began.Add(seconds(m.From)).Unix() - 1; at <= began.Add(seconds(max(m.From, m.To))).Unix(); at++ {
			slowest = max(slowest, a.Slow[at])
		}
		took := fmt.Sprintf("%.0f ms", slowest)
		if slowest == 0 {
			took = "below " + slowAck.String()
		}
		said = append(said, fmt.Sprintf("%s at %.1f s: %s", m.Name, m.From, took))
	}
	if len(said) == 0 {
		return ""
	}
	return "slowest acknowledgement of what was due while it lasted: " + strings.Join(said, "; ")
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// A holding is a partition in one process, from when it goes on with what nobody had done yet until it is given back or the
// process is killed.
type holding struct {
	partition int
	from, to  time.Time
}

// A standstill is a time in which nobody works on a partition.
type standstill struct {
	partition int
	from      time.Time
	length    time.Duration
}

// measurePauses says of every arm for how long its partitions stood still when processes joined, left
// or were killed.
func (x *execution) measurePauses(plan []fault.Step) {
	for _, r := range x.runs() {
		name := streamParts[x.scenario.like(r.Arm)]
		var changes []result.Mark
		for _, m := range x.run.Marks {
			if isChange(plan, m.Name, name) {
				changes = append(changes, m)
			}
		}
		if len(changes) == 0 {
			continue
		}
		all := pauses(x.sut.holdings(name))
		longest := time.Duration(0)
		for _, p := range all {
			longest = max(longest, p.length)
		}
		side := x.side(r.Arm)
		side.Figures = append(side.Figures,
			result.Figure{Name: figurePause, Unit: "ms", Value: float64(longest.Microseconds()) / 1e3},
			result.Figure{Name: figurePaused, Value: float64(len(all)) / float64(len(changes))})
		side.Notes = append(side.Notes, name+": "+describePauses(x.began, changes, all))
	}
}

// isChange reports whether a mark is a step that changes who works on the partitions of a component.
func isChange(plan []fault.Step, mark, component string) bool {
	return slices.ContainsFunc(plan, func(s fault.Step) bool {
		changes := s.Do == fault.Join || s.Do == fault.Leave || s.Do == fault.Kill || s.Do == fault.Restart
		return changes && s.Target == component && s.Name() == mark
	})
}

// holdings of all processes of a component, those that joined as well.
func (s *system) holdings(name string) (all []holding) {
	for _, c := range s.supervisor.All() {
		if c.Name != name && !strings.HasPrefix(c.Name, name+" ") {
			continue
		}
		for _, life := range c.Said() {
			all = append(all, holdingsOf(life)...)
		}
	}
	return all
}

// holdingsOf one process. What it never gave back, and was not killed with, it holds still.
func holdingsOf(life *supervise.Facts) (all []holding) {
	held := map[int]time.Time{}
	for _, f := range life.All() {
		var said struct{ Partition int }
		switch f.Event {
		case "assigned":
			if f.Into(&said) == nil {
				held[said.Partition] = f.At
			}
		case "restored": // Lambda's, who reads the log again; Kappa has what it needs when it is assigned
			if f.Into(&said) != nil {
				continue
			}
			if _, ok := held[said.Partition]; ok {
				held[said.Partition] = f.At
			}
		case "released":
			if f.Into(&said) != nil {
				continue
			}
			if from, ok := held[said.Partition]; ok {
				all = append(all, holding{said.Partition, from, f.At})
				delete(held, said.Partition)
			}
		case supervise.KilledFact:
			for p, from := range held {
				all = append(all, holding{p, from, f.At})
			}
			clear(held)
		}
	}
	for p, from := range held {
		all = append(all, holding{p, from, time.Now()})
	}
	return all
}

// pauses are the times between holdings in which nobody holds a partition, in the order in which they
// begin. Before the first holding and after the last there is none.
func pauses(all []holding) (found []standstill) {
	slices.SortFunc(all, func(a, b holding) int {
		return cmp.Or(cmp.Compare(a.partition, b.partition), a.from.Compare(b.from))
	})
	for i, h := range all {
		if i == 0 || all[i-1].partition != h.partition {
			continue
		}
		// Two may hold it at once: one that stood still, and does not know yet.
		until := all[i-1].to
		for j := i - 2; j >= 0 && all[j].partition == h.partition; j-- {
			if all[j].to.After(until) {
				until = all[j].to
			}
		}
		if length := h.from.Sub(until); length > 0 {
			found = append(found, standstill{h.partition, until, length})
		}
	}
	slices.SortFunc(found, func(a, b standstill) int { return a.from.Compare(b.from) })
	return found
}

// describePauses lists, for every change, which partitions stood still for how long.
func describePauses(began time.Time, changes []result.Mark, all []standstill) string {
	slices.SortFunc(changes, func(a, b result.Mark) int { return cmp.Compare(a.From, b.From) })
	var lines []string
	for i, m := range changes {
		var parts []string
		for _, p := range all {
			at := p.from.Sub(began).Seconds()
			if at < m.From || i+1 < len(changes) && at >= changes[i+1].From {
				continue
			}
			parts = append(parts, fmt.Sprintf("partition %d for %d ms", p.partition, p.length.Milliseconds()))
		}
		if len(parts) == 0 {
			parts = []string{"no partition stands still"}
		}
		lines = append(lines, fmt.Sprintf("%s at %.1f s: %s", m.Name, m.From, strings.Join(parts, ", ")))
	}
	return strings.Join(lines, "\n")
}
