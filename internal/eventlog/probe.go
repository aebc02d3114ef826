package eventlog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"

	"lambdakappa/event"
)

// Probe tries, on topics and a group of its own that it deletes again, everything that the components
// and the driver will ask of the cluster. Its error names all that is missing, each with what it is
// needed for, so that a run does not find it out half-way.
func (l *Log) Probe(ctx context.Context) error {
	p := &probe{log: l, topic: fmt.Sprintf("probe-%d", time.Now().UnixNano())}
	defer p.clean(context.WithoutCancel(ctx))
	var missing []string
	for _, step := range []struct {
		what, needed string
		try          func(context.Context) error
	}{
		{"create topics", "every topic is created by who writes it: allow CREATE on topics", p.create},
		{"compaction", "views and changelogs are compacted topics", p.compaction},
		{"keep records by their own time", "recorded input has append times of years ago: no message.timestamp.before.max.ms (log.message.timestamp.before.max.ms) below that", p.keepsOld},
		{"append with acknowledgement by all replicas", "nothing that was acknowledged may be lost: allow WRITE, and give topics as many copies as min.insync.replicas asks for", p.append},
		{"read", "allow READ on topics", p.read},
		{"find offsets by time", "time travel and replays from a moment", p.byTime},
		{"join a group and commit", "who processes what, and how far: allow READ on groups", p.commit},
		{"transactions", "the guarantee exactly-once: allow WRITE on transactional ids", p.transact},
		{"delete records", "Lambda drops the speed view of what a batch run has covered", p.trim},
		{"register schemas", "events name the schema that they were written with", p.register},
		{"delete topics", "a run leaves the cluster as it was: allow DELETE on topics", p.delete},
	} {
		err := step.try(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var skipped skippedError
		if err != nil && !errors.As(err, &skipped) {
			missing = append(missing, fmt.Sprintf("  %s (%s): %v", step.what, step.needed, err))
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("the cluster at %s lacks something:\n%s",
			strings.Join(l.cfg.Brokers, ","), strings.Join(missing, "\n"))
	}
	return nil
}

// A probe is one call of Probe.
type probe struct {
	log     *Log
	topic   string
	created bool
	offset  int64 // of what was appended; -1 is nothing
}

// A skippedError says that a step needs one that has failed, and was told of already.
type skippedError struct{}

func (skippedError) Error() string { return "not tried" }

// old is the append time of what is appended: far beyond any retention by time.
var old = time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)

func (p *probe) create(ctx context.Context) error {
	err := p.log.CreateTopics(ctx, TopicSpec{Name: p.topic, Partitions: 1, Trimmed: true})
	p.created = err == nil
	p.offset = -1
	return err
}

// compaction and retention are settings that a cluster's owner may overrule.
func (p *probe) compaction(ctx context.Context) error {
	return p.setting(ctx, "cleanup.policy", "compact,delete")
}

func (p *probe) keepsOld(ctx context.Context) error {
	if err := p.setting(ctx, "retention.ms", "-1"); err != nil {
		return err
	}
	return p.setting(ctx, "message.timestamp.type", "CreateTime")
}

func (p *probe) setting(ctx context.Context, name, want string) error {
	if !p.created {
		return skippedError{}
	}
	full, err := p.log.name("topic", p.topic)
	if err != nil {
		return err
	}
	answer, err := p.log.client.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{
		Resources: []kafka.DescribeConfigRequestResource{{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: full, ConfigNames: []string{name},
		}},
	})
	if err != nil {
		return err
	}
	for _, r := range answer.Resources {
		if r.Error != nil {
			return r.Error
		}
		for _, c := range r.ConfigEntries {
			if c.ConfigName == name && c.ConfigValue != want {
				return fmt.Errorf("%s is %q, not %q", name, c.ConfigValue, want)
			}
		}
	}
	return nil
}

func (p *probe) append(ctx context.Context) error {
	if !p.created {
		return skippedError{}
	}
	offset, err := p.log.Append(ctx, p.topic, 0, []Record{{
		AppendTime: old.UnixMilli(), Key: []byte("probe"), Value: []byte("probe"),
	}})
	if err == nil {
		p.offset = offset
	}
	return err
}

func (p *probe) read(ctx context.Context) error {
	if p.offset < 0 {
		return skippedError{}
	}
	r, err := p.log.Reader(ctx, p.topic, 0, p.offset)
	if err != nil {
		return err
	}
	defer r.Close()
	b, err := r.Read(ctx, time.Second)
	if err == nil && len(b.Records) == 0 {
		err = errors.New("what was acknowledged is not there")
	}
	return err
}

func (p *probe) byTime(ctx context.Context) error {
	if p.offset < 0 {
		return skippedError{}
	}
	offsets, err := p.log.OffsetsAt(ctx, p.topic, old)
	if err == nil && offsets[0] != p.offset {
		err = fmt.Errorf("offset %d is said to be of %s, not %d", offsets[0], old.Format(time.RFC3339), p.offset)
	}
	return err
}

// inGroup runs a task as the only member of a group.
func (p *probe) inGroup(ctx context.Context, task func(context.Context, *Member) error) error {
	if p.offset < 0 {
		return skippedError{}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	did := errors.New("nothing was assigned")
	err := p.log.RunGroup(ctx, p.topic, p.topic, func(ctx context.Context, m *Member, _ int) error {
		did = task(ctx, m)
		cancel()
		return nil
	})
	if err != nil {
		return err
	}
	return did
}

func (p *probe) commit(ctx context.Context) error {
	want := Commit{Offset: 1, Metadata: strings.Repeat("m", 1000)}
	err := p.inGroup(ctx, func(ctx context.Context, m *Member) error { return m.Commit(ctx, 0, want) })
	if err != nil {
		return err
	}
	got, err := p.log.Committed(ctx, p.topic, p.topic)
	if err == nil && got[0] != want {
		err = errors.New("a commit's metadata of 1,000 bytes does not come back")
	}
	return err
}

func (p *probe) transact(ctx context.Context) error {
	if p.offset < 0 {
		return skippedError{}
	}
	x, err := p.log.Transactor(ctx, p.topic)
	if err != nil {
		return err
	}
	defer x.Close()
	return p.inGroup(ctx, func(ctx context.Context, m *Member) error {
		if err := x.Begin(); err != nil {
			return err
		}
		if _, err := x.Append(ctx, p.topic, 0, []Record{{Key: []byte("probe"), Value: []byte("again")}}); err != nil {
			return err
		}
		return x.Commit(ctx, m, 0, Commit{Offset: 1})
	})
}

func (p *probe) trim(ctx context.Context) error {
	if p.offset < 0 {
		return skippedError{}
	}
	return p.log.DeleteRecords(ctx, p.topic, []int64{p.offset + 1})
}

// register asks the registry for what every run asks of it.
func (p *probe) register(ctx context.Context) error {
	if p.log.registry == nil {
		return skippedError{}
	}
	_, err := p.log.RegisterSchemas(ctx, event.Subject, event.Schemas[:]...)
	return err
}

func (p *probe) delete(ctx context.Context) error {
	if !p.created {
		return skippedError{}
	}
	err := p.log.DeleteTopics(ctx, p.topic)
	p.created = err != nil
	return err
}

// clean removes what a probe that was broken off has left.
func (p *probe) clean(ctx context.Context) {
	if p.created {
		_ = p.log.DeleteTopics(ctx, p.topic)
	}
	// kafka-go deletes a group; one that never was is no matter.
	_, _ = p.log.client.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{p.log.cfg.Prefix + p.topic}})
}
