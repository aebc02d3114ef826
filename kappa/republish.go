//bench:only kappa-archived
package kappa

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"lambdakappa/event"
	"lambdakappa/internal/eventlog"
)

// Republish writes the history of cfg.Archive back into the log, into a topic of its own that a
// replay is given as its input: the third way to reprocess, beside reading the log and reading the
// archive. Uber and Netflix tell of it that it overwhelms the log, hence rate, events per second
// over all partitions; 0 is as fast as the log takes it.
//
// The copy is the log again, offset for offset: events with their append and intended time, and the
// dead letters in their places. So positions in the copy are positions in the log, and a cut-over
// compares like with like. With follow it goes on with the log where the archive ends, until ctx
// ends; a replay can then take over from the live version. It resumes where an earlier call ended.
//
// It needs an archive that begins where the log began: in a new topic, the first offset is 0.
func Republish(ctx context.Context, cfg Config, topic string, rate float64, follow bool) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	if err := checkRepublish(cfg, topic, rate); err != nil {
		return err
	}
	partitions, err := cfg.Log.Partitions(ctx, eventlog.CarsTopic)
	if err != nil {
		return err
	}
	spec := eventlog.TopicSpec{Name: topic, Partitions: partitions}
	if err := cfg.Log.CreateTopics(ctx, spec); err != nil {
		return err
	}
	ends, err := cfg.Log.EndOffsets(ctx, topic)
	if err != nil {
		return err
	}
	ids, err := cfg.Log.RegisterSchemas(ctx, event.Subject, event.Schemas[:]...)
	if err != nil {
		return err
	}
	g, work := errgroup.WithContext(ctx)
	for partition := range partitions {
		g.Go(func() error {
			p := &republisher{
				cfg: cfg, topic: topic, partition: partition, position: ends[partition],
				encoder: event.NewEncoder(ids...), pace: pace{perSecond: rate / float64(partitions)},
			}
			if err := p.run(work, follow); err != nil {
				return fmt.Errorf("republish partition %d: %w", partition, err)
			}
			return nil
		})
	}
	return unlessEnded(ctx, g.Wait())
}

func checkRepublish(cfg Config, topic string, rate float64) error {
	switch {
	case cfg.Archive == "":
		return fmt.Errorf("archive: must be given")
	case topic == "":
		return fmt.Errorf("topic: must be given")
	case topic == eventlog.CarsTopic:
		return fmt.Errorf("topic %s: is the input itself, where all of it would be late or a "+
			"duplicate: name another", topic)
	case !(rate >= 0):
		return fmt.Errorf("rate %v: must not be negative", rate)
	}
	return cfg.checkArchive()
}

// republishRecords is how many records are appended at once, at full speed: about 100 KB.
const republishRecords = 1000

// landTime is how long a batch may take to be acknowledged: as long as the log tries.
const landTime = 30 * time.Second

// A republisher copies one partition.
type republisher struct {
	cfg       Config
	topic     string
	partition int
	position  int64 // of the log and of the copy: what is below it is there
	encoder   *event.Encoder
	pace      pace

	dead    map[int64]eventlog.Record // by their offsets in the log
	pending []eventlog.Record
}

func (p *republisher) run(ctx context.Context, follow bool) error {
	began, from := time.Now(), p.position
	chain, err := p.cfg.archiveChain(p.partition, 0, math.MaxInt64)
	if err != nil {
		return err
	}
	if len(chain) > 0 && chain[0].first > 0 {
		return fmt.Errorf("the archive begins at offset %d: in a new topic its events would get other "+
			"offsets than in the log; replay from the archive instead", chain[0].first)
	}
	if err := p.readDeadLetters(ctx, chainEnd(chain, 0)); err != nil {
		return err
	}
	archive := newArchiveReader()
	for _, s := range chain {
		if s.end <= p.position {
			continue
		}
		if err := p.copySegment(ctx, archive, s); err != nil {
			return fmt.Errorf("%s: %w", s.path, err)
		}
	}
	p.cfg.notify("republished", "topic", p.topic, "partition", p.partition, "from", from,
		"position", p.position, "ms", time.Since(began).Milliseconds())
	if !follow {
		return nil
	}
	return p.followLog(ctx)
}

// readDeadLetters reads those dead letters that lie between the position and end.
func (p *republisher) readDeadLetters(ctx context.Context, end int64) (err error) {
	p.dead = map[int64]eventlog.Record{}
	ends, err := p.cfg.Log.EndOffsets(ctx, DeadLettersTopic)
	if err != nil {
		return fmt.Errorf("find the dead letters: %w", err)
	}
	reader, err := p.cfg.Log.CompactedReader(ctx, DeadLettersTopic, p.partition, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	for next := int64(0); next < ends[p.partition]; {
		batch, err := reader.Read(ctx, idleWait)
		if err != nil {
			return err
		}
		for i := range batch.Records {
			at, r, err := original(&batch.Records[i])
			if err != nil {
				return err
			}
			if at >= p.position && at < end {
				p.dead[at] = r
			}
		}
		next = batch.Next
	}
	return nil
}

// copySegment appends the events of a file, and the dead letters between them.
func (p *republisher) copySegment(ctx context.Context, archive *archiveReader, s segment) error {
	var facts segmentFacts
	err := archive.read(s, &facts, func() error {
		for i := range archive.rows {
			e := archive.event(i)
			if e.Offset < p.position {
				continue
			}
			if err := p.fill(e.Offset); err != nil {
				return err
			}
			r, err := p.record(e)
			if err != nil {
				return err
			}
			if err := p.add(ctx, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = p.fill(s.end)
	}
	if err != nil {
		return err
	}
	return p.flush(ctx)
}

// fill adds the dead letters up to an offset: whatever is no row is one of them.
func (p *republisher) fill(end int64) error {
	for at := p.position + int64(len(p.pending)); at < end; at++ {
		r, known := p.dead[at]
		if !known {
			return fmt.Errorf("offset %d is neither a row of the archive nor on %s", at, DeadLettersTopic)
		}
		p.pending = append(p.pending, r)
		delete(p.dead, at)
	}
	return nil
}

// record is an event as it stood on the log.
func (p *republisher) record(e *archivedEvent) (eventlog.Record, error) {
	value, err := p.encoder.Append(nil, &e.CarSensor)
	if err != nil {
		return eventlog.Record{}, err
	}
	intended := e.Intended
	if intended == 0 { // Lambda's files have none
		intended = e.AppendTime * int64(time.Millisecond)
	}
	return eventlog.Record{
		AppendTime: e.AppendTime, Key: []byte(e.CarID), Value: value,
		Headers: []eventlog.Header{{
			Key: eventlog.IntendedHeader, Value: strconv.AppendInt(nil, intended, 10),
		}},
	}, nil
}

func (p *republisher) add(ctx context.Context, r eventlog.Record) error {
	p.pending = append(p.pending, r)
	if len(p.pending) < p.pace.atOnce() {
		return nil
	}
	return p.flush(ctx)
}

// flush appends what is pending when its time has come.
//
// It is an error when that lands anywhere else than at the position: somebody else appends to the
// copy, or an acknowledgement was lost and a part is there twice.
//
// What is under way when ctx ends is waited for: given up, it might land after the next one has looked where the copy ends.
func (p *republisher) flush(ctx context.Context) error {
	if len(p.pending) == 0 {
		return nil
	}
	if err := p.pace.wait(ctx, len(p.pending)); err != nil {
		return err
	}
	landing, cancel := context.WithTimeout(context.WithoutCancel(ctx), landTime)
	defer cancel()
	at, err := p.cfg.Log.Append(landing, p.topic, p.partition, p.pending)
	if err != nil {
		return err
	}
	if at != p.position {
		return fmt.Errorf("offset %d of the log became offset %d of %s: "+
			"the topic is not a copy of the log; delete it and begin again", p.position, at, p.topic)
	}
	p.position += int64(len(p.pending))
	clear(p.pending)
	p.pending = p.pending[:0]
	return nil
}

// followLog copies what comes after the archive as it comes.
func (p *republisher) followLog(ctx context.Context) (err error) {
	reader, err := p.cfg.Log.Reader(ctx, eventlog.CarsTopic, p.partition, p.position)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	for {
		batch, err := reader.Read(ctx, idleWait)
		if err != nil {
			return err
		}
		for _, r := range batch.Records {
			if want := p.position + int64(len(p.pending)); r.Offset != want {
				return fmt.Errorf("offset %d of the log comes where %d is next: %s would not keep offsets", r.Offset, want, p.topic)
			}
			p.pending = append(p.pending, r)
		}
		if err := p.flush(ctx); err != nil {
			return err
		}
	}
}

// A pace keeps a rate. The zero value is as fast as possible.
type pace struct {
	perSecond float64
	began     time.Time
	events    float64
}

// atOnce is how many events go together: at most a twentieth of a second's worth.
func (p *pace) atOnce() int {
	if p.perSecond == 0 {
		return republishRecords
	}
	return max(1, min(republishRecords, int(p.perSecond/20)))
}

// wait waits until n more events are due.
func (p *pace) wait(ctx context.Context, n int) error {
	if p.perSecond == 0 {
		return ctx.Err()
	}
	if p.began.IsZero() {
		p.began = time.Now()
	}
	due := p.began.Add(time.Duration(p.events / p.perSecond * float64(time.Second)))
	p.events += float64(n)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Until(due)):
		return nil
	}
}
