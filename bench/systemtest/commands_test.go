package systemtest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"lambdakappa/internal/eventlog"
	"lambdakappa/internal/eventlog/logtest"
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// A script is a transcript that is being played.
type script struct {
	ctx    context.Context
	log    eventlog.Config
	dir    string
	prefix string
	world  *world

	guarantee string // of Kappa, where the transcript says nothing
}

// A command is one entry of a transcript.
type command struct {
	name  string
	words []string          // arguments without "="
	args  map[string]string // arguments with one
	input string
}

// play runs one command and returns what came out.
func (s *script) play(c command) (string, error) {
	if c.name == "open" {
		return "", s.open(c)
	}
	if s.world == nil {
		return "", errors.New("a transcript begins with open")
	}
	if print, known := printers[c.name]; known {
		return s.world.show(print, c.args["differ"])
	}
	run, known := map[string]func(command) (string, error){
		"send": s.world.sendAll, "settle": s.world.settleAll, "batch": s.world.batch,
		"kill": s.world.kill, "start": s.world.start, "compact": s.world.compact,
		"deploy": s.world.deploy, "check": s.world.checkAll, "break": s.world.breakSide,
		"visible": s.world.visible, "redrive": s.world.redrive, "gone": s.world.gone,
	}[c.name]
	if !known {
		return "", fmt.Errorf("command %q: see the package comment", c.name)
	}
	return run(c)
}

func (s *script) open(c command) (err error) {
	set := defaultSettings()
	set.dir, set.prefix, set.guarantee = s.dir, s.prefix, s.guarantee
	for name, value := range c.args {
		switch name {
		case "partitions":
			set.partitions, err = strconv.Atoi(value)
		case "window":
			set.window, err = time.ParseDuration(value)
		case "gap":
			set.gap, err = time.ParseDuration(value)
		case "version":
			set.version = value
		case "views":
			set.views, err = view.ParseSet(strings.ReplaceAll(value, " ", ""))
		case "incremental":
			set.incremental, err = strconv.ParseBool(value)
		case "retention":
			set.retention, err = time.ParseDuration(value)
		case "guarantee":
			set.guarantee = value
		case "mistake":
			set.mistake = value
		default:
			err = errors.New("no such setting")
		}
		if err != nil {
			return fmt.Errorf("open %s=%s: %w", name, value, err)
		}
	}
	s.world, err = openWorld(s.ctx, s.log, set)
	return err
}

func (s *script) close() error {
	if s.world == nil {
		return nil
	}
	return s.world.close()
}

// sendAll sends one event a line and prints where they are on the log.
func (w *world) sendAll(c command) (string, error) {
	var lines, places []string
	for line := range strings.Lines(c.input) {
		lines = append(lines, strings.TrimSpace(line))
	}
	sent, err := w.send(lines)
	for _, at := range sent {
		places = append(places, place(at))
	}
	return strings.Join(places, " ") + "\n", err
}

func (w *world) settleAll(command) (string, error) {
	for _, s := range w.sides {
		if err := w.settle(s); err != nil {
			return "", err
		}
	}
	return "", nil
}

// batch recomputes until the batch view covers what is on the log now.
func (w *world) batch(c command) (string, error) {
	s, err := w.side("lambda")
	if err != nil {
		return "", err
	}
	err = w.await("batch to cover the log", func() (bool, error) {
		if err := s.batch(w.ctx, w.log); err != nil {
			return false, err
		}
		status, err := s.status(w)
		if err != nil {
			return false, err
		}
		covered := len(status.Partitions) == len(w.ends) && strings.HasPrefix(status.Version, w.version)
		for _, p := range status.Partitions {
			covered = covered && p.Boundary == w.ends[p.Partition]
		}
		return covered, fmt.Errorf("status %+v", status)
	})
	if err != nil {
		return "", err
	}
	return w.settleAll(c)
}

func (w *world) kill(c command) (string, error) {
	return "", w.sidePart(c, (*side).kill)
}

func (w *world) start(c command) (string, error) {
	return "", w.sidePart(c, (*side).start)
}

func (w *world) sidePart(c command, do func(*side, string) error) error {
	if len(c.words) != 2 {
		return fmt.Errorf("%s: want SIDE PART", c.name)
	}
	s, err := w.side(c.words[0])
	if err != nil {
		return err
	}
	return do(s, c.words[1])
}

func (w *world) compact(command) (string, error) {
	return "", logtest.Compact(w.cfg)
}

// deploy brings a version live on both sides. While it does, every answer is of one version.
func (w *world) deploy(c command) (string, error) {
	if len(c.words) != 1 {
		return "", errors.New("deploy: want VERSION")
	}
	w.version, w.deployed = c.words[0], true
	if text, given := c.args["views"]; given {
		views, err := view.ParseSet(strings.ReplaceAll(text, " ", ""))
		if err != nil {
			return "", fmt.Errorf("deploy: %w", err)
		}
		w.views, w.sinceStart = views, w.sinceStart&views
	}
	for _, s := range w.sides {
		if err := s.replace(w.version, w.views); err != nil {
			return "", err
		}
		err := w.await(s.name()+" to serve "+w.version, func() (bool, error) {
			if err := s.batch(w.ctx, w.log); err != nil {
				return false, err
			}
			status, err := s.status(w)
			return err == nil && status.Version == w.version && status.Views == w.views, err
		})
		if err != nil {
			return "", err
		}
	}
	return w.settleAll(c)
}

// show prints one part of both sides' answers, which have to be the truth as a whole.
func (w *world) show(print func(*answer) string, reason string) (string, error) {
	var names, texts []string
	for _, s := range w.sides {
		a, err := w.ask(s)
		if err != nil {
			return "", err
		}
		wrong, err := w.check(s, a)
		if err != nil {
			return "", err
		}
		if len(wrong) > 0 {
			return "", fmt.Errorf("wrong answer: %s", strings.Join(wrong, "; "))
		}
		names, texts = append(names, s.name()), append(texts, print(a))
	}
	return sideBySide(reason, names, texts)
}

// visible prints the readings of a car that a point query names.
func (w *world) visible(c command) (string, error) {
	after, err := strconv.ParseInt(c.args["after"], 10, 64)
	if err != nil {
		return "", fmt.Errorf("visible: after: %w", err)
	}
	var names, texts []string
	for _, s := range w.sides {
		client := s.client()
		if client == nil {
			return "", fmt.Errorf("ask %s: nobody serves", s.name())
		}
		defer client.Close()
		latest, _, err := client.Latest(w.ctx, c.args["car"], after, 0, "")
		if err != nil {
			return "", fmt.Errorf("ask %s: %w", s.name(), err)
		}
		names, texts = append(names, s.name()), append(texts, rowsText(latest.Visible, seqText))
	}
	return sideBySide(c.args["differ"], names, texts)
}

// gone asks for what lies before a time, and prints what is wrong with that.
func (w *world) gone(c command) (string, error) {
	to, err := instant(c.args["to"])
	if err != nil {
		return "", fmt.Errorf("gone: to: %w", err)
	}
	r := httpapi.All()
	r.To = to
	var names, texts []string
	for _, s := range w.sides {
		client := s.client()
		if client == nil {
			return "", fmt.Errorf("ask %s: nobody serves", s.name())
		}
		defer client.Close()
		_, _, err := client.Windows(w.ctx, r)
		var gone *httpapi.Error
		switch {
		case errors.As(err, &gone):
			texts = append(texts, fmt.Sprintf("%d %v\n", gone.Code, gone))
		case err != nil:
			return "", err
		default:
			texts = append(texts, "is answered\n")
		}
		names = append(names, s.name())
	}
	return sideBySide("", names, texts)
}

// checkAll prints what is wrong on either side.
func (w *world) checkAll(command) (string, error) {
	var b strings.Builder
	for _, s := range w.sides {
		a, err := w.ask(s)
		if err != nil {
			return "", err
		}
		wrong, err := w.check(s, a)
		if err != nil {
			return "", err
		}
		for _, line := range wrong {
			b.WriteString(line + "\n")
		}
	}
	return b.String(), nil
}
