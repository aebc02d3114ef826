package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/httpapi"
)

// notify prints one fact as a JSON line on stdout: {"time":…,"event":"ready"}. It is what the
// Notify field of both sides is wired to, and safe for concurrent use.
func (a *app) notify() func(fact string, fields ...any) {
	facts := slog.New(slog.NewJSONHandler(a.stdout, &slog.HandlerOptions{ReplaceAttr: factAttr}))
	log := slog.New(slog.NewTextHandler(a.stderr, nil))
	return func(fact string, fields ...any) {
		facts.Info(fact, fields...)
		if fact == "batch failed" {
			log.Warn(fact, fields...) // it is tried again, so nobody else will say it
		}
	}
}

// factAttr gives a JSON line the names of a fact.
func factAttr(groups []string, attr slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return attr
	}
	switch attr.Key {
	case slog.MessageKey:
		attr.Key = "event"
	case slog.LevelKey:
		return slog.Attr{}
	}
	return attr
}

// A component is a process of one side.
type component struct {
	flags   logFlags
	topics  func(ctx context.Context, log *eventlog.Log, partitions int) error // creates them
	run     func(ctx context.Context, log *eventlog.Log) error
	serving bool // run says itself when it is ready
}

// runComponent connects, creates the topics, and runs until the context of the command ends.
func (a *app) runComponent(command *cobra.Command, c component) error {
	ctx := command.Context()
	log, partitions, err := c.flags.open(ctx)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	defer log.Close()
	if err := c.topics(ctx, log, partitions); err != nil {
		return unlessEnded(ctx, err)
	}
	if !c.serving {
		a.notify()("ready")
	}
	return unlessEnded(ctx, c.run(ctx, log))
}

// unlessEnded forgets an error that says no more than that the end was asked for.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// A serving answers, and keeps its answers up to date while it runs.
type serving interface {
	httpapi.Answers
	Run(ctx context.Context) error
}

// serve listens, says where, and answers until ctx ends.
func (a *app) serve(ctx context.Context, listen string, s serving) error {
	shareCores()
	l, err := httpapi.Listen(ctx, listen)
	if err != nil {
		return err
	}
	notify := a.notify()
	notify("listening", "addr", l.Addr().String())
	notify("ready")
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.Run(ctx) })
	g.Go(func() error { return httpapi.Serve(ctx, l, s) })
	return g.Wait()
}

// shareCores gives Go twice as many threads as there are cores, unless the user has decided. While
// all threads take in rows or load a view, a query would wait for Go to preempt one, 10 ms; for a
// thread of its own the operating system finds a core sooner.
func shareCores() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2 * runtime.GOMAXPROCS(0))
	}
}
