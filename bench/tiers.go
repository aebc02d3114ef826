package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lambdakappa/bench/cluster"
	"lambdakappa/bench/result"
	"lambdakappa/internal/eventlog"
)

// Figures of a log that has a second tier.
const (
	figureLocal = "kept per event, on the brokers" // what is left there
	figureTier  = "kept per event, in the tier"
	// Of a topic that keeps the newest row of every key, as the views do.
	figureCompactedTier = "a compacted topic may have a tier (1) or not (0)"
)

// cannot says why the arms with a tier cannot be had here; "" when they can.
func (l *timeTravel) cannot(ctx context.Context, d *driver) (string, error) {
	switch {
	case len(l.Tiered) == 0:
		return "", nil
	case len(d.opt.Brokers) == 0:
		return "the embedded broker has no second tier: it takes a cluster (lambdakappa kafka up --tiered)", nil
	}
	log, err := eventlog.Open(ctx, eventlog.Config{Brokers: d.opt.Brokers, Security: d.opt.Security})
	if err != nil {
		return "", err
	}
	defer log.Close()
	has, err := log.HasTiers(ctx)
	if err != nil || has {
		return "", err
	}
	return "the cluster has no second tier (remote.log.storage.system.enable; lambdakappa kafka up --tiered)", nil
}

// moveLimit is how long a log may take to move to its tier.
const moveLimit = 2 * time.Minute

// move waits until of the input topic no more is left on the brokers than what no broker gives away, its newest
// segments, and says what lies where.
func (x *execution) move(ctx context.Context, name string) error {
	x.progress.say(name + ": the log moves to its tier")
	open := int64(x.sut.partitions) * tierSegment
	left := open + 1
	for late := time.Now().Add(moveLimit); left > open; {
		if time.Now().After(late) {
			return fmt.Errorf("after %s %d bytes are still on the brokers", moveLimit, left)
		}
		if err := rest(ctx, followEvery); err != nil {
			return err
		}
		sizes, err := x.sut.log.Bytes(ctx) // a cluster that does not say cannot be waited for
		if err != nil {
			return err
		}
		left = sizes[eventlog.CarsTopic]
	}
	r := x.side(name)
	events := float64(max(x.run.Events, 1))
	r.Figures = append(r.Figures, result.Figure{Name: figureLocal, Unit: "B", Value: float64(left) / events})
	if x.opt.Cluster != "" {
		if err := x.measureTier(r); err != nil {
			return err
		}
	}
	return x.tierCompacted(ctx, r)
}

// tierSegment is how large a segment of [eventlog.Tiered] may be, with the batch that closes it.
const tierSegment = 1<<20 + 1<<19

// measureTier adds what lies in the tier, which is a folder where the cluster is the driver's own.
func (x *execution) measureTier(r *result.Run) error {
	c, err := cluster.Find(x.opt.Cluster)
	if err != nil {
		return err
	}
	bytes, err := diskBytes(c.TierDir(), x.sut.prefix+eventlog.CarsTopic)
	if err != nil {
		return err
	}
	r.Figures = append(r.Figures, result.Figure{
		Name: figureTier, Unit: "B", Value: float64(bytes) / float64(max(x.run.Events, 1)),
	})
	return nil
}

// tierCompacted asks for a tier for a compacted topic, which is what a view is.
func (x *execution) tierCompacted(ctx context.Context, r *result.Run) error {
	const name = "tiered-view"
	f := result.Figure{Name: figureCompactedTier}
	err := x.sut.log.CreateTopics(ctx, eventlog.TopicSpec{
		Name: name, Partitions: 1, Compacted: true, Settings: eventlog.Tiered,
	})
	switch {
	case err == nil:
		f.Value, err = 1, x.sut.log.DeleteTopics(ctx, name)
	case errors.Is(err, eventlog.ErrSettings):
		r.Notes = append(r.Notes, err.Error())
		err = nil
	}
	r.Figures = append(r.Figures, f)
	return err
}
