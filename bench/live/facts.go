package live

import (
	"context"
	"fmt"
	"time"

	"lambdakappa/bench/supervise"
)

// factsEvery is how often it is looked what parts have said.
const factsEvery = 500 * time.Millisecond

// An ear turns what parts say of themselves into lines of the page's log.
type ear struct {
	stage *stage
	note  func(Note)
	heard map[*supervise.Facts]int // how many facts of a process have been read
}

// run listens until ctx ends.
func (l *ear) run(ctx context.Context) {
	l.heard = map[*supervise.Facts]int{}
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
			if text, numbers := tell(p.Name, f, c.Starts() > 1); text != "" {
				l.note(Note{At: f.At.UnixMilli(), Kind: Fact, Side: p.Side, Text: text, Numbers: numbers, From: f.At.UnixMilli()})
			}
		}
		heard[now] = len(all)
	}
	l.heard = heard
}

// tell is what the page's log says of a fact of a part, which may have run before; "" for what nobody has to know.
func tell(part string, f supervise.Fact, again bool) (text string, numbers []string) {
	var said struct {
		Partition          int
		MS                 float64
		Rows               int64
		From, To           int64
		Retracted, Belated int64
		Version, Replaces  string
	}
	if f.Into(&said) != nil {
		return "", nil
	}
	switch {
	case f.Event == "restored" && again:
		return fmt.Sprintf("%s knows of partition %d what was known before, after %.0f ms", part, said.Partition, said.MS), []string{"lag", "freshness"}
	case f.Event == "alerts" && said.Replaces != "":
		return fmt.Sprintf("%s: %s replaces %s; it takes %d alerts back, and raises %d for events that were answered before", part,
			said.Version, said.Replaces, said.Retracted, said.Belated), []string{"alerts", "version"}
	case f.Event == "lost":
		return fmt.Sprintf("%s: the log has forgotten the offsets [%d, %d) of partition %d before it could read them", part, said.From,
			said.To, said.Partition), []string{"accuracy"}
	}
	return "", nil
}
