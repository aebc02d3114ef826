package bench

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"lambdakappa/bench/fault"
	"lambdakappa/bench/witness"
	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/proc"
)

// cannotDo says why a fault cannot be had here; "" when it can.
func (o Options) cannotDo(s fault.Step) string {
	switch s.Do {
	case fault.Stop:
		if !proc.Suspends {
			return proc.ErrNoSuspend.Error()
		}
	case fault.BrokerDown:
		if len(o.Brokers) > 0 && o.Cluster == "" {
			return notOurs
		}
	case fault.BrokerStop, fault.BrokerCut, fault.BrokerFull, fault.BrokerRestart, fault.BrokerJoin:
		switch {
		case o.Cluster == "":
			return notOurs
		case s.Do == fault.BrokerStop && !proc.Suspends:
			return proc.ErrNoSuspend.Error()
		case s.Do == fault.BrokerCut && !linked(o.Cluster):
			return "its nodes reach each other directly: it takes a cluster with links between them"
		case s.Do == fault.BrokerFull && proc.ErrNoFileLimit != nil:
			return proc.ErrNoFileLimit.Error()
		}
	case fault.SlowDisk:
		return "no part of the system can be made to write slowly without root, and slowing the " +
			"broker's answers alone would spare the side that keeps its history in files"
	}
	return ""
}

const notOurs = "it takes a cluster whose nodes the driver may touch (--cluster names one)"

// fixPorts makes the embedded broker come back where it was.
func (s *system) fixPorts() error {
	_, port, err := net.SplitHostPort(s.brokers)
	if err != nil {
		return fmt.Errorf("broker address: %w", err)
	}
	registry, err := url.Parse(s.registry)
	if err != nil {
		return fmt.Errorf("registry address: %w", err)
	}
	s.broker.Args = append(s.broker.Args, "--port", port, "--registry-port", registry.Port())
	return nil
}

// brokerDown kills the embedded broker and starts it again. What it has acknowledged it still has.
// Nothing is started while it is away, and a batch run that is under way comes to its end first:
// starting needs the broker, and an outage that a component was not there for says nothing.
func (s *system) brokerDown(ctx context.Context, length time.Duration) error {
	s.brokerUp.Lock()
	defer s.brokerUp.Unlock()
	s.supervisor.Kill(s.broker)
	if err := rest(ctx, length); err != nil {
		return err
	}
	return s.supervisor.Restart(ctx, s.broker)
}

// compact has the broker compact its topics now.
func (s *system) compact(ctx context.Context) error {
	if s.broker == nil {
		return s.log.Compact(ctx)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.registry+eventlog.CompactPath, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the broker answers %s", res.Status)
	}
	return nil
}

// forget makes the log forget its oldest events, after the driver has read them for the truth.
func (x *execution) forget(ctx context.Context, step fault.Step) error {
	starts, err := x.sut.log.StartOffsets(ctx, eventlog.CarsTopic)
	if err != nil {
		return err
	}
	before, err := x.sut.cutAt(ctx, step, starts)
	if err != nil {
		return err
	}
	for partition, start := range starts {
		if before[partition] <= start {
			continue
		}
		if err := x.past.read(ctx, x.sut.log, partition, start, before[partition]); err != nil {
			return err
		}
	}
	return x.sut.log.DeleteRecords(ctx, eventlog.CarsTopic, before)
}

// cutAt is before which offset every partition is to be forgotten.
func (s *system) cutAt(ctx context.Context, step fault.Step, starts []int64) ([]int64, error) {
	ends, err := s.log.EndOffsets(ctx, eventlog.CarsTopic)
	if err != nil {
		return nil, err
	}
	before := make([]int64, len(ends))
	for partition, end := range ends {
		held := end - starts[partition]
		before[partition] = starts[partition] + int64(step.Share*float64(held))
		if step.OlderThan == 0 || held == 0 {
			continue
		}
		newest, err := s.newestAppend(ctx, partition, end)
		if err != nil {
			return nil, err
		}
		at, err := s.log.OffsetsAt(ctx, eventlog.CarsTopic, newest.Add(-step.OlderThan))
		if err != nil {
			return nil, err
		}
		before[partition] = at[partition]
	}
	return before, nil
}

// newestAppend is the append time of the last event before an end that is above 0.
func (s *system) newestAppend(ctx context.Context, partition int, end int64) (time.Time, error) {
	reader, err := s.log.Reader(ctx, eventlog.CarsTopic, partition, end-1)
	if err != nil {
		return time.Time{}, err
	}
	defer reader.Close()
	batch, err := reader.Read(ctx, witness.Wait)
	if err == nil && len(batch.Records) == 0 {
		err = fmt.Errorf("partition %d: nothing at offset %d", partition, end-1)
	}
	if err != nil {
		return time.Time{}, err
	}
	return time.UnixMilli(batch.Records[0].AppendTime), nil
}
