package eventlog_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/eventlog/logtest"
)

// Ensure that a task which was told that its partition is another's begins again when the group says that it
// is not, by either assignment; and that it does not begin while it is.
func TestATaskThatWasFencedBeginsAgain(t *testing.T) {
	for _, assignment := range []eventlog.Assignment{eventlog.Eager, eventlog.Cooperative} {
		t.Run(string(assignment), func(t *testing.T) {
			t.Parallel()
			cfg := logtest.Config(t)
			cfg.Assignment = assignment
			l := logtest.Open(t, cfg)
			createTopic(t, l, "cars", 1)
			ctx, cancel := context.WithCancel(t.Context())
			var begun atomic.Int32
			done := make(chan error, 1)
			go func() {
				done <- l.RunGroup(ctx, "kappa", "cars", func(ctx context.Context, m *eventlog.Member, _ int) error {
					if begun.Add(1) < 3 {
						return fmt.Errorf("fenced: %w", eventlog.ErrNotMember)
					}
					if err := m.Commit(ctx, 0, eventlog.Commit{Offset: 1}); err != nil {
						return err
					}
					<-ctx.Done()
					return nil
				})
			}()
			eventually(t, func() bool {
				commits, err := l.Committed(t.Context(), "kappa", "cars")
				return err == nil && commits[0].Offset == 1
			})
			require.EqualValues(t, 3, begun.Load())
			cancel()
			require.NoError(t, <-done)
		})
	}
}

// Ensure that a process whose group will not have it ends and says why, by either assignment.
func TestAGroupThatRefusesIsAnError(t *testing.T) {
	for _, assignment := range []eventlog.Assignment{eventlog.Eager, eventlog.Cooperative} {
		t.Run(string(assignment), func(t *testing.T) {
			t.Parallel()
			addr := securedBroker(t, kfake.GroupMinSessionTimeout(20*time.Second))
			l, err := eventlog.Open(t.Context(), eventlog.Config{Brokers: []string{addr}, Assignment: assignment})
			require.NoError(t, err)
			defer l.Close()
			createTopic(t, l, "cars", 1)
			err = l.RunGroup(t.Context(), "kappa", "cars", func(context.Context, *eventlog.Member, int) error { return nil })
			require.ErrorContains(t, err, "join group kappa: ")
		})
	}
}

// Ensure that nothing is waited for that a broker does not acknowledge once the partition is taken away.
func TestAnAppendEndsWithItsContext(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	for _, client := range []string{eventlog.KafkaGo, eventlog.FranzGo, "transaction"} {
		t.Run(client, func(t *testing.T) {
			cfg := eventlog.Config{Brokers: c.ListenAddrs(), Prefix: client + "-"}
			if client == eventlog.FranzGo {
				cfg.Client = client
			}
			l, err := eventlog.Open(t.Context(), cfg)
			require.NoError(t, err)
			defer l.Close()
			createTopic(t, l, "rows", 1)
			write := func(ctx context.Context) error {
				_, err := l.Append(ctx, "rows", 0, values(0, 1))
				return err
			}
			if client == "transaction" {
				x := transactor(t, l, "one")
				require.NoError(t, x.Begin())
				write = func(ctx context.Context) error {
					_, err := x.Append(ctx, "rows", 0, values(0, 1))
					return err
				}
			}
			require.NoError(t, write(t.Context()))

			answer := make(chan struct{})
			arrived := make(chan struct{}, 100)
			c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
				c.KeepControl()
				arrived <- struct{}{}
				c.SleepControl(func() { <-answer })
				c.DropControl()
				return nil, nil, false
			})
			defer close(answer)
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-arrived
				cancel()
			}()
			began := time.Now()
			require.Error(t, write(ctx))
			require.Less(t, time.Since(began), 5*time.Second)
		})
	}
}

// Ensure that a commit without anything to commit with is an error: franz-go would end nothing.
func TestCommitOfNothing(t *testing.T) {
	l := newLog(t, "cars", 1)
	g := joinGroup(t, l)
	eventually(t, func() bool { return g.member(0) != nil })
	x := transactor(t, l, "kappa-v1-0")
	require.NoError(t, x.Begin())
	require.ErrorContains(t, x.Commit(t.Context(), g.member(0), 0, eventlog.Commit{Offset: 1}), "nothing was appended")
	c, err := x.Committed(t.Context(), "kappa", "cars", 0)
	require.NoError(t, err)
	require.Equal(t, eventlog.Commit{Offset: -1}, c)
	g.leave(t)
}
