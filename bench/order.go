package bench

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"lambdakappa/bench/result"
	"lambdakappa/datagen"
	"lambdakappa/internal/eventlog"
)

// order lets both arms answer about the same events four times: as they come, from a log that is
// complete, with the partitions in another interleaving and shared by several processes, and from a log
// with another number of partitions. The events of a partition are in one order in the first three, so
// every answer has to be the same; in the last, cars that shared a partition do no longer, so that another
// watermark judges what is late, and that has to be all that differs.
//
// A workload is a pure function of its seed, and the log is read back and held against it before it is
// judged: publishing it again makes the same log again.
type order struct {
	Partitions int `yaml:"partitions"` // of the log that has another number of them
	Processes  int `yaml:"processes"`  // of every part that shares partitions, in the other interleaving
}

// The phases of order.
const (
	phaseLive          = "live"
	phaseOrderReplay   = "replay"
	phaseInterleaved   = "interleaved"
	phaseRepartitioned = "repartitioned"
)

var orderPhases = []string{phaseLive, phaseOrderReplay, phaseInterleaved, phaseRepartitioned}

// The figures of order.
const (
	figureUnlikeLive = "rows that differ from the live answers"
	figureLate       = "events dropped late"
)

func (o *order) check(s *Scenario) error {
	switch d := s.size.disturb; {
	case o.Partitions < 1 || o.Partitions == partitions:
		return fmt.Errorf("partitions %d: must be above 0 and another number than %d, which the live log has", o.Partitions, partitions)
	case o.Processes < 2:
		return fmt.Errorf("processes %d: must be at least 2, so that partitions are shared", o.Processes)
	case d.Duplicates+d.Conflicts > 0:
		return fmt.Errorf("partitions %d: takes a workload without duplicates and conflicts: which copy of a reading "+
			"counts depends on the order too, and late drops would not explain all", o.Partitions)
	}
	return s.needs()
}

func (o *order) seconds(opt Options, s *Scenario) float64 {
	events := s.size.rate * s.size.duration.Seconds()
	live := 0.0
	if s.size.speedup > 0 {
		live = s.size.duration.Seconds() / s.size.speedup
	}
	groups := len(s.onOneLog(s.arms(opt)))
	return float64(groups*s.size.repetitions) * (live + float64(len(orderPhases))*(6+events*2e-5))
}

func (o *order) run(ctx context.Context, d *driver, s *Scenario) error {
	for repetition := range s.size.repetitions {
		head := result.Run{
			Scenario: s.Name, Repetition: repetition + 1, Seed: d.opt.Seed + uint64(repetition),
			Workload: s.size.result(),
		}
		for _, arms := range s.onOneLog(s.arms(d.opt)) {
			if d.has(head, arms...) {
				continue
			}
			if err := o.compare(ctx, d, head, s.size, arms); err != nil {
				return err
			}
		}
	}
	return nil
}

// compare runs all phases of the arms on one log each, and holds the later ones against the first.
func (o *order) compare(ctx context.Context, d *driver, head result.Run, s size, arms []string) error {
	var all []*result.Run
	live := map[string]*ordered{}
	head.Arm = armBoth
	if len(arms) == 1 {
		head.Arm = arms[0]
	}
	for _, phase := range orderPhases {
		head.Phase = phase
		x, err := d.execute(ctx, head, func(x *execution) {
			for _, arm := range arms {
				x.report(arm, arm, phase)
			}
			if phase == phaseRepartitioned {
				x.input.Partitions = o.Partitions
			}
		}, func(ctx context.Context, x *execution) error {
			got, err := o.answer(ctx, x, phase, s.workload(head.Seed), arms)
			if err != nil {
				return err
			}
			if phase == phaseLive {
				live = got
			}
			for _, arm := range arms {
				x.compareOrders(arm, phase, live[arm], got[arm])
			}
			return nil
		})
		if err != nil {
			return err
		}
		all = append(all, x.runs()...)
	}
	for _, r := range all { // together, so that a repetition is there as a whole or not at all
		if err := d.add(*r); err != nil {
			return err
		}
	}
	return nil
}

// answer lets the arms answer in the way of a phase, judges them, and returns their answers.
func (o *order) answer(
	ctx context.Context, x *execution, phase string, w workload, arms []string,
) (map[string]*ordered, error) {
	x.sut.extra = map[string][]string{"lambda ingest": {"--roll-interval", "500ms"}}
	send := x.sendPaced
	switch phase {
	case phaseOrderReplay:
		send = x.sendBefore
	case phaseInterleaved:
		send = func(ctx context.Context, w workload) ([]int64, error) { return x.sendByPartition(ctx, w, o.Processes) }
	}
	end, err := send(ctx, w)
	if err != nil {
		return nil, err
	}
	x.run.Events = sumOf(end)
	if err := x.settleArms(ctx, end); err != nil {
		return nil, err
	}
	if x.truth, err = readTruth(ctx, x.sut.log, w, x.scenario.rules, x.sut.logic(), end); err != nil {
		return nil, err
	}
	late, err := x.lateReadings(ctx, end)
	if err != nil {
		return nil, err
	}
	all := map[string]*ordered{}
	for _, name := range arms {
		a := x.sut.arms[name]
		if a.like == armLambda { // whatever is late counts when a batch covers it
			if _, err := a.cover(ctx, end); err != nil {
				return nil, err
			}
		}
		got, err := x.judge(ctx, a, "at the end")
		if err != nil {
			return nil, err
		}
		if all[name], err = newOrdered(got); err != nil {
			return nil, err
		}
		if a.like != armLambda {
			all[name].late = late
		}
	}
	return all, nil
}

// sendPaced starts the arms and then sends, paced.
func (x *execution) sendPaced(ctx context.Context, w workload) ([]int64, error) {
	if err := x.startArms(ctx); err != nil {
		return nil, err
	}
	_, end, err := x.sut.generate(ctx, w)
	return end, err
}

// sendBefore sends everything, as fast as the log takes it, and then starts the arms.
func (x *execution) sendBefore(ctx context.Context, w workload) ([]int64, error) {
	w.speedup = 0
	_, end, err := x.sut.generate(ctx, w)
	if err != nil {
		return nil, err
	}
	return end, x.startArms(ctx)
}

// sendByPartition starts the arms, several processes of whatever shares partitions, and sends the last
// partition first. The next one is sent when the answers have all of it: one partition is read to its end
// before another begins.
func (x *execution) sendByPartition(ctx context.Context, w workload, processes int) ([]int64, error) {
	if err := x.startArms(ctx); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(x.sut.arms)) {
		for range processes - 1 {
			if err := x.sut.arms[name].reinforce(ctx); err != nil {
				return nil, err
			}
		}
	}
	var end []int64
	for p := x.sut.partitions - 1; p >= 0; p-- {
		began := time.Now()
		plan, err := w.open()
		if err != nil {
			return nil, err
		}
		_, err = Publish(ctx, x.sut.log, onlyPartition(plan.Source, p, x.sut.partitions), Pace{})
		_ = plan.Close() // opened for reading
		if err != nil {
			return nil, err
		}
		if end, err = x.sut.log.EndOffsets(ctx, eventlog.CarsTopic); err != nil {
			return nil, err
		}
		if err := x.settleArms(ctx, end); err != nil {
			return nil, err
		}
		x.mark(fmt.Sprintf("partition %d", p), began, time.Now())
	}
	return end, nil
}

// A partitionSource is what goes to one partition, of a source.
type partitionSource struct {
	datagen.Source
	partition, of int
}

func onlyPartition(s datagen.Source, partition, of int) datagen.Source {
	return &partitionSource{s, partition, of}
}

// UseSchemas hands on what [datagen.Stream] takes; a recording has no use for it.
func (s *partitionSource) UseSchemas(ids ...uint32) {
	if stream, ok := s.Source.(*datagen.Stream); ok {
		stream.UseSchemas(ids...)
	}
}

// Next implements [datagen.Source].
func (s *partitionSource) Next(p *datagen.Planned) bool {
	for s.Source.Next(p) {
		if eventlog.PartitionOf([]byte(p.Event.CarID), s.of) == s.partition {
			return true
		}
	}
	return false
}
