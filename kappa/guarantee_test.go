package kappa

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
)

// repeated counts the records of the side topics that say what an earlier one has said already: to
// whoever reads these topics, and looks at no key.
func repeated(t *testing.T, log *eventlog.Log) int {
	said, n := map[string]bool{}, 0
	for _, topic := range []string{DeadLettersTopic, LateTopic, AlertsTopic} {
		for _, r := range readAll(t, log, topic) {
			what := topic + "\x00" + string(r.Key) + "\x00" + string(r.Value)
			if said[what] {
				n++
			}
			said[what] = true
		}
	}
	return n
}

// dying runs a processor that fails at random steps and is started again at once. However few the flushes are on a fast
// machine, it fails some times where what it has said is on its topics and the rows that would remember it are not.
func dying(t *testing.T, cfg Config, seed uint64) *running {
	var forgot atomic.Int32
	random := crashing(seed, 15)
	cfg.fault = func(step string) error {
		if step == "rows" && forgot.Load() < 3 && said(t, cfg.Log) {
			forgot.Add(1)
			return errCrash
		}
		return random(step)
	}
	return background(t, func(ctx context.Context) error {
		for {
			if err := Process(ctx, cfg); !errors.Is(err, errCrash) {
				return err
			}
		}
	})
}

// said reports whether there is an alert on its topic, in a transaction that has ended or not.
func said(t *testing.T, log *eventlog.Log) bool {
	ends, err := log.EndOffsets(context.Background(), AlertsTopic)
	if err != nil {
		t.Errorf("look at %s: %v", AlertsTopic, err)
	}
	return slices.Max(ends) > 0
}

// Ensure that a processor that dies at any step of a transaction, again and again, answers the truth in
// the end and has said everything once, to readers that know nothing of keys; and that the same reader
// sees what an at-least-once processor says twice.
func TestExactlyOnceSaysNothingTwice(t *testing.T) {
	for _, guarantee := range []Guarantee{AtLeastOnce, ExactlyOnce} {
		t.Run(string(guarantee), func(t *testing.T) {
			const partitions = 2
			log := startLog(t, partitions)
			require.NoError(t, CreateTopics(context.Background(), log, partitions, "v1"))
			cfg := testConfig(log)
			cfg.Guarantee = guarantee
			processor := dying(t, cfg, 1)
			serving, run := serve(t, cfg)
			sent := disturbed(t, 1, 12, 4_000)
			for i := 0; i < len(sent); i += 100 {
				send(t, log, sent[i:min(i+100, len(sent))])
			}
			awaitEnd(t, serving)
			want := truth(t, "v1", partitions, sent)
			requireEventful(t, want)
			requireServed(t, want, serving)
			requireSides(t, want, log)
			if guarantee == ExactlyOnce {
				require.Zero(t, repeated(t, log))
			} else {
				require.NotZero(t, repeated(t, log), "the test cannot see what comes twice")
			}
			processor.stop(t)
			run.stop(t)
		})
	}
}

// Ensure that partitions that move between processes, and come back to one that has state of theirs,
// say nothing twice either.
func TestExactlyOnceThroughRebalances(t *testing.T) {
	const partitions = 4
	log := startLog(t, partitions)
	require.NoError(t, CreateTopics(context.Background(), log, partitions, "v1"))
	cfg := testConfig(log)
	cfg.Guarantee = ExactlyOnce
	serving, run := serve(t, cfg)
	start := func() *running {
		return background(t, func(ctx context.Context) error { return Process(ctx, cfg) })
	}
	sent := disturbed(t, 2, 12, 4_000)
	first := start()
	var second *running
	for i := 0; i < len(sent); i += 50 {
		send(t, log, sent[i:min(i+50, len(sent))])
		switch i % 1000 {
		case 200:
			second = start()
		case 700:
			second.stop(t)
		}
		if i%250 == 0 {
			awaitEnd(t, serving)
		}
	}
	awaitEnd(t, serving)
	want := truth(t, "v1", partitions, sent)
	requireServed(t, want, serving)
	requireSides(t, want, log)
	require.Zero(t, repeated(t, log))
	first.stop(t)
	run.stop(t)
}

// Ensure that a task which has to end in the middle of a flush, and gets its partition back, says nothing twice; and
// that it goes on with what it has in memory where it was let finish its transaction.
func TestInterruptedFlush(t *testing.T) {
	for guarantee, restores := range map[Guarantee]int64{ExactlyOnce: 0, AtMostOnce: 1} {
		t.Run(string(guarantee), func(t *testing.T) {
			log := startLog(t, 1)
			require.NoError(t, CreateTopics(context.Background(), log, 1, "v1"))
			sent := disturbed(t, 1, 12, 2_000)
			send(t, log, sent[:1_000])
			cfg := testConfig(log)
			cfg.Guarantee = guarantee
			serving, run := serve(t, cfg)
			again := make(chan struct{})
			var interrupt context.CancelFunc
			var flushes, restored atomic.Int64
			cfg.fault = func(step string) error {
				if step == "rows" && flushes.Add(1) == 2 { // the first one begins the view
					interrupt()
				}
				return nil
			}
			cfg.Notify = func(fact string, _ ...any) {
				if fact == "restored" {
					restored.Add(1)
				}
			}
			p := newProcessor(cfg)
			r := background(t, func(ctx context.Context) error {
				return log.RunGroup(ctx, group(cfg.ViewName()), cfg.input(), func(ctx context.Context, m *eventlog.Member, partition int) error {
					first, cancel := context.WithCancel(ctx)
					interrupt = cancel
					_ = p.runTask(first, m, partition)
					close(again)
					return p.runTask(ctx, m, partition)
				})
			})
			<-again
			send(t, log, sent[1_000:])
			awaitEnd(t, serving)
			require.NotEmpty(t, readAll(t, log, AlertsTopic))
			require.Zero(t, repeated(t, log))
			require.Equal(t, restores, restored.Load())
			r.stop(t)
			run.stop(t)
		})
	}
}

// Ensure that who has lost a partition without knowing it, and begins with it only now, does not fence its
// owner.
func TestLateStarterFencesNobody(t *testing.T) {
	log := startLog(t, 1)
	cfg := testConfig(log)
	cfg.Guarantee = ExactlyOnce
	p := newProcessor(cfg)
	members := make(chan *eventlog.Member, 1)
	hold := func(ctx context.Context, m *eventlog.Member, _ int) error {
		members <- m
		<-ctx.Done()
		return ctx.Err()
	}
	join := func() (*running, *eventlog.Member) {
		r := background(t, func(ctx context.Context) error {
			return log.RunGroup(ctx, group(cfg.ViewName()), cfg.input(), hold)
		})
		return r, <-members
	}
	first, late := join()
	first.stop(t)
	second, owner := join()
	held, err := p.openTransactions(t.Context(), owner, 0)
	require.NoError(t, err)
	defer held.Close()
	_, err = p.openTransactions(t.Context(), late, 0)
	require.ErrorIs(t, err, eventlog.ErrNotMember)
	require.NoError(t, held.Begin())
	_, err = held.Append(t.Context(), eventlog.CarsTopic, 0, []eventlog.Record{{AppendTime: 1, Value: []byte("v")}})
	require.NoError(t, err)
	require.NoError(t, held.Commit(t.Context(), owner, 0, eventlog.Commit{Offset: 1}))
	second.stop(t)
}

// Ensure that a view that was written with the other guarantee is taken on as it is, in either
// direction: a guarantee is a setting of processes, not of their state.
func TestGuaranteeMayChange(t *testing.T) {
	log := startLog(t, 1)
	require.NoError(t, CreateTopics(context.Background(), log, 1, "v1"))
	cfg := testConfig(log)
	serving, run := serve(t, cfg)
	sent := disturbed(t, 3, 12, 900)
	third := len(sent) / 3
	for i, guarantee := range []Guarantee{AtLeastOnce, ExactlyOnce, AtLeastOnce} {
		cfg.Guarantee = guarantee
		processor := background(t, func(ctx context.Context) error { return Process(ctx, cfg) })
		send(t, log, sent[i*third:(i+1)*third])
		awaitEnd(t, serving)
		processor.stop(t)
	}
	requireServed(t, truth(t, "v1", 1, sent[:3*third]), serving)
	run.stop(t)
}

func TestGuaranteeThatIsNone(t *testing.T) {
	cfg := testConfig(new(eventlog.Log))
	cfg.Guarantee = "perhaps"
	require.ErrorContains(t, cfg.Validate(), `guarantee "perhaps": must be one of at-most-once, at-least-once, exactly-once`)
	cfg.Guarantee, cfg.Archive = ExactlyOnce, "somewhere"
	require.ErrorContains(t, cfg.Validate(), "archive: is read at-least-once")
}
