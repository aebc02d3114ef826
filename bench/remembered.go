package bench

import (
	"context"
	"fmt"

	"lambdakappa/bench/result"
	"lambdakappa/bench/supervise"
)

// figureRemembered is what an arm holds for de-duplication alone when everything was sent: in mid-stream,
// before a batch run covers the log and takes the readings off the speed layer.
const figureRemembered = "de-duplication state"

// streamParts are the components that fold the log as it comes, by architecture. They say what they hold
// when their partitions are taken away from them.
var streamParts = map[string]string{armLambda: "lambda speed", armKappa: "kappa process"}

// measureRemembered asks every arm what it holds for de-duplication at the end of the log. Who folds the
// log says it when it ends, and is started again. Memory of processes would say nothing: the sets are
// small beside everything else.
func (x *execution) measureRemembered(ctx context.Context, end []int64) error {
	if err := x.settleArms(ctx, end); err != nil {
		return err
	}
	for _, r := range x.runs() {
		a := x.sut.arms[r.Arm]
		bytes, err := a.remembered(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", r.Arm, err)
		}
		side := x.side(r.Arm)
		side.Figures = append(side.Figures, result.Figure{Name: figureRemembered, Unit: "B", Value: float64(bytes)})
	}
	return nil
}

// A remembering is what a component says that it holds: a member of a group for a partition that it
// gives back, the batch layer for all of them.
type remembering struct {
	Partition int   `json:"partition"`
	Bytes     int64 `json:"remembered_bytes"`
}

// remembered is the bytes of the stream layer, and of the newest batch run where there is one.
func (a *arm) remembered(ctx context.Context) (int64, error) {
	name := streamParts[a.like]
	if err := a.sut.supervisor.Stop(ctx, a.parts[name]); err != nil {
		return 0, err
	}
	if err := a.sut.supervisor.Restart(ctx, a.parts[name]); err != nil {
		return 0, err
	}
	last, err := lastRemembered(a.parts[name].SaidAbout("released"))
	if err != nil {
		return 0, err
	}
	if len(last) != a.sut.partitions {
		return 0, fmt.Errorf("%s gave back %d partitions of %d", name, len(last), a.sut.partitions)
	}
	var sum, batch int64
	for _, bytes := range last {
		sum += bytes
	}
	if a.like != armLambda {
		return sum, nil
	}
	for _, c := range a.sut.supervisor.All() {
		if c.Name != batchPart.name {
			continue
		}
		runs, err := lastRemembered(c.SaidAbout("generation"))
		if err != nil {
			return 0, err
		}
		if bytes, ok := runs[0]; ok {
			batch = bytes // components are in the order of their starts
		}
	}
	return sum + batch, nil
}

// lastRemembered is what was said last, by partition. A process that was killed said nothing: the one
// after it did.
func lastRemembered(facts []supervise.Fact) (map[int]int64, error) {
	last := map[int]int64{}
	for _, f := range facts {
		var r remembering
		if err := f.Into(&r); err != nil {
			return nil, err
		}
		last[r.Partition] = r.Bytes
	}
	return last, nil
}
