package live

import (
	"context"
	"fmt"
	"time"

	"lambdakappa/bench/supervise"
)

// factsEvery is how often it is looked what parts have said.
const factsEvery = 500 * time.Millisecond

// An ear turns what parts say of themselves into lines of the page's log, and into what passes through them.
type ear struct {
	stage *stage
	flows *flows
	note  func(Note)
	heard map[*supervise.Facts]int // how many facts of a process have been read
	wrong map[string]time.Time     // when a failure was told last, by its words
}

// wrongEvery is how often the same failure is told: a batch layer whose disk is full fails at every interval.
const wrongEvery = time.Minute

// run listens until ctx ends.
func (l *ear) run(ctx context.Context) {
	l.heard, l.wrong = map[*supervise.Facts]int{}, map[string]time.Time{}
	every(ctx, factsEvery, func(context.Context) { l.listen() })
}

func (l *ear) listen() {
	heard := map[*supervise.Facts]int{}
	for _, p := range parts {
		c := l.stage.component(p.Name)
		if c == nil {
			continue
		}
		said := c.Said()
		now := said[len(said)-1] // a process that has ended says nothing more
		all := now.All()
		for _, f := range all[l.heard[now]:] {
			if p.Name == batchPart {
				l.flows.hear(f)
			}
			if n := tell(p.Name, f, c.Starts() > 1); n.Text != "" && !l.repeats(n) {
				n.At, n.From, n.Side = f.At.UnixMilli(), f.At.UnixMilli(), p.Side
				l.note(n)
			}
		}
		heard[now] = len(all)
	}
	l.heard = heard
}

// repeats reports whether a note is of a failure that was told a moment ago.
func (l *ear) repeats(n Note) bool {
	if n.Kind != Failure {
		return false
	}
	for text, at := range l.wrong {
		if time.Since(at) >= wrongEvery {
			delete(l.wrong, text)
		}
	}
	if _, told := l.wrong[n.Text]; told {
		return true
	}
	l.wrong[n.Text] = time.Now()
	return false
}

// tell is what the page's log says of a fact of a part, which may have run before, and what it shows in; without text for what
// nobody has to know.
func tell(part string, f supervise.Fact, again bool) Note {
	var said struct {
		Partition          int
		MS                 float64
		Rows               int64
		From, To           int64
		Retracted, Belated int64
		Version, Replaces  string
		Error              string
	}
	if f.Into(&said) != nil {
		return Note{}
	}
	fact := func(numbers []string, format string, args ...any) Note {
		return Note{Kind: Fact, Numbers: numbers, Text: part + fmt.Sprintf(format, args...)}
	}
	switch {
	case f.Event == "restored" && again:
		return fact([]string{"lag", "freshness"}, " knows of partition %d what was known before, after %.0f ms", said.Partition, said.MS)
	case f.Event == "alerts" && said.Replaces != "":
		return fact([]string{"alerts", "version"}, ": %s replaces %s; it takes %d alerts back, and raises %d for events that were answered before",
			said.Version, said.Replaces, said.Retracted, said.Belated)
	case f.Event == "lost" && part == replayPart && said.From == 0:
		return Note{} // it begins where the log does
	case f.Event == "lost":
		return fact([]string{"accuracy"}, ": the log has forgotten the offsets [%d, %d) of partition %d before it could read them",
			said.From, said.To, said.Partition)
	case f.Event == "batch failed" || f.Event == "housekeeping failed":
		return Note{Kind: Failure, Text: fmt.Sprintf("%s: %s: %s", part, f.Event, said.Error)}
	}
	return Note{}
}
