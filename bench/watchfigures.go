package bench

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"lambdakappa/bench/accuracy"
	"lambdakappa/bench/fault"
	"lambdakappa/bench/ledger"
	"lambdakappa/bench/oracle"
	"lambdakappa/bench/result"
	"lambdakappa/internal/eventlog"
	"lambdakappa/view"
)

// leastLooks is how many answers of an arm must have been seen before anything is said about how right
// they were.
const leastLooks = 10

// measureAccuracy says of every arm that was watched how right its answers were, and when.
func (x *execution) measureAccuracy(partitions int) error {
	if len(x.watchers) == 0 {
		return nil
	}
	kept, ok := x.truth.(keptTruth)
	if !ok {
		return fmt.Errorf("accuracy: the events were not kept")
	}
	rules := x.scenario.rules
	truth := accuracy.Read(kept.o, partitions, rules.Window, rules.AllowedLateness)
	var cuts [][]int64 // of whoever has a batch layer on this log
	for _, w := range x.watchers {
		if w.like == armLambda {
			cuts = w.watch.Boundaries()
		}
	}
	for _, w := range x.watchers {
		x.measureArm(w, truth, cuts)
	}
	return nil
}

func (x *execution) measureArm(w *watcher, truth *accuracy.Truth, cuts [][]int64) {
	r := x.side(w.name)
	c := truth.Course(&w.watch)
	answered := 0
	for _, silent := range c.Silent {
		if !silent {
			answered++
		}
	}
	x.check(w.name, "answers were watched", answered >= leastLooks, "%d looks, %d of them answered",
		len(c.At), answered)
	most := slices.Max(append(slices.Clone(c.Excess), 0))
	x.checkAnswer(w.name, "no reading counted too often meanwhile", most == 0, "%d at most", most)
	x.checkAnswer(w.name, "nothing right became wrong meanwhile", c.Spoilt == 0, "%d windows did", c.Spoilt)

	r.Figures = append(r.Figures, liveFigures(truth.Lives(&w.watch, x.served[w.name].windows, cuts))...)
	r.Figures = append(r.Figures, courseFigures(&c, truth.Readings())...)
	r.Figures = append(r.Figures, crashFigures(killsOf(x.run.Marks, w.like), &c)...)
	r.Series = append(r.Series,
		result.Series{Name: "truth A", Unit: "%", Points: c.Points(c.ExactA, c.DueA)},
		result.Series{Name: "truth B", Unit: "%", Points: c.Points(c.ExactB, c.DueB)})
	r.RestoreMs = x.sut.restored(w.like)
}

// liveFigures are the shares of exact windows by band, stage and truth, and how many were corrected.
func liveFigures(l accuracy.Lives) []result.Figure {
	var all []result.Figure
	var windows, exact int
	for _, s := range l.Shares {
		if s.Stage == accuracy.Finally {
			windows, exact = windows+s.Windows, exact+s.ExactA
		}
		name := fmt.Sprintf("exact %s, %s", s.Stage, s.Band)
		all = append(all,
			result.Figure{Name: name + ", truth A", Unit: "%", Value: accuracy.Percent(s.ExactA, s.Windows)},
			result.Figure{Name: name + ", truth B", Unit: "%", Value: accuracy.Percent(s.ExactB, s.Windows)})
		if s.Stage == accuracy.Finally {
			all = append(all, result.Figure{Name: "windows " + s.Band.String(), Value: float64(s.Windows)})
		}
	}
	if windows > 0 {
		all = append(all, result.Figure{Name: "exact finally, truth A", Unit: "%", Value: accuracy.Percent(exact, windows)})
	}
	if l.Closed > 0 {
		all = append(all, result.Figure{
			Name: "windows corrected after their close", Unit: "%", Value: accuracy.Percent(l.Corrected, l.Closed),
		})
	}
	return all
}

// courseFigures say how much was served wrong and for how long.
func courseFigures(c *accuracy.Course, readings int64) []result.Figure {
	most := slices.Max(append(slices.Clone(c.Excess), 0))
	return []result.Figure{
		{Name: "served wrong, windows by time", Unit: "window-seconds", Value: c.Seconds(c.Wrong)},
		{Name: "some answer wrong", Unit: "s", Value: c.Above(c.Wrong).Seconds()},
		{Name: "nobody answered", Unit: "s", Value: c.Speechless().Seconds()},
		{Name: "readings counted too often, most at a time", Value: float64(most)},
		{Name: "readings counted too often, share", Unit: "%", Value: 100 * float64(most) / float64(max(readings, 1))},
		{Name: "readings counted too often, for", Unit: "s", Value: c.Above(c.Excess).Seconds()},
	}
}

// A killed is one kill: of which component, when, and for how long that was not there.
type killed struct {
	target   string
	at, down time.Duration
}

// killsOf are the kills of components of an architecture, in order.
func killsOf(marks []result.Mark, like string) []killed {
	var kills []killed
	for _, m := range marks {
		if target, ok := strings.CutPrefix(m.Name, fault.Kill+" "); ok && belongs(target, like) {
			kills = append(kills, killed{target, inSeconds(m.From), inSeconds(m.To - m.From)})
		}
	}
	slices.SortFunc(kills, func(a, b killed) int { return cmp.Compare(a.at, b.at) })
	return kills
}

func inSeconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// An outage is a kill whose component was away for longer than a restart takes.
const outage = 3 * time.Second

// crashFigures say what kills cost: when somebody else may notice, which is a setting, and when every
// answer was right again, which was seen. What an outage cost is counted from its end on.
func crashFigures(kills []killed, c *accuracy.Course) []result.Figure {
	if len(kills) == 0 {
		return nil
	}
	var moments []time.Duration
	for _, k := range kills {
		moments = append(moments, k.at)
	}
	var cut int
	var down, longest time.Duration
	var drained []float64
	again := map[string][]float64{} // by component: some are missed by nobody, some by everybody
	for i, r := range c.Again(moments) {
		k := kills[i]
		again[k.target] = append(again[k.target], r.Took.Seconds())
		longest = max(longest, r.Took)
		if r.Cut {
			cut++
		}
		if k.down >= outage {
			down = max(down, k.down)
			drained = append(drained, max(0, r.Took-k.down).Seconds())
		}
	}
	figures := []result.Figure{
		{Name: "kills", Value: float64(len(kills))},
		{Name: "session timeout", Unit: "s", Value: eventlog.DefaultSessionTimeout.Seconds()},
		{Name: "right again after a kill, longest", Unit: "s", Value: longest.Seconds()},
		{Name: "recoveries that the next kill cut off", Value: float64(cut)},
	}
	for _, target := range slices.Sorted(maps.Keys(again)) {
		figures = append(figures, result.Figure{
			Name: "right again after a kill of " + target + ", median", Unit: "s", Value: ledger.Median(again[target]),
		})
	}
	if len(drained) > 0 {
		figures = append(figures,
			result.Figure{Name: "down for", Unit: "s", Value: down.Seconds()},
			result.Figure{Name: "drained after", Unit: "s", Value: slices.Max(drained)})
	}
	return figures
}

// effects count what a repetition or a loss has left in the windows: readings that are missing there,
// and readings that are there too often.
func effects(want view.Table[view.WindowKey, view.Window], got []view.Window) (lost, doubled int64) {
	served := make(map[view.WindowKey]int64, len(got))
	for i := range got {
		served[got[i].WindowKey] = got[i].Readings
	}
	for i := range want {
		n := want[i].Readings - served[want[i].WindowKey]
		lost += max(n, 0)
		doubled += max(-n, 0)
		delete(served, want[i].WindowKey)
	}
	for _, n := range served {
		doubled += n
	}
	return lost, doubled
}

// effectFigures are what is left at a moment at which an arm is judged.
func effectFigures(moment string, want oracle.Answer, got answer) []result.Figure {
	lost, doubled := effects(want.Windows, got.windows)
	d := view.Compare(want.Windows, view.Table[view.WindowKey, view.Window](got.windows))
	return []result.Figure{
		{Name: "readings lost, " + moment, Value: float64(lost)},
		{Name: "readings counted too often, " + moment, Value: float64(doubled)},
		{Name: "windows not exact, " + moment, Value: float64(d.Missing + d.Unexpected + d.Different)},
		{Name: "events dropped late, " + moment, Value: float64(got.status.Counters.DroppedLate)},
	}
}
