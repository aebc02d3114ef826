package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// A fact is one JSON line that a component printed on its stdout, such as
// {"event":"ready"} or {"event":"generation","generation":3,"rows":120000}.
type fact struct {
	Event string
	At    time.Time       // when the driver read it
	Raw   json.RawMessage // the whole line
}

// into decodes the fields of the fact.
func (f fact) into(v any) error {
	if err := json.Unmarshal(f.Raw, v); err != nil {
		return fmt.Errorf("read fact %s: %w", f.Event, err)
	}
	return nil
}

// facts are all facts of a process so far, in order. It is safe for concurrent use.
type facts struct {
	mu      sync.Mutex
	all     []fact
	changed chan struct{} // closed and replaced whenever all grows
}

func newFacts() *facts { return &facts{changed: make(chan struct{})} }

// read notes every JSON line of r until it ends. Lines that are not JSON objects are no facts.
func (f *facts) read(r io.Reader) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var head struct{ Event string }
		if json.Unmarshal(lines.Bytes(), &head) != nil || head.Event == "" {
			continue
		}
		f.add(fact{head.Event, time.Now(), append(json.RawMessage(nil), lines.Bytes()...)})
	}
	_, _ = io.Copy(io.Discard, r) // a line without end must not block the component
}

func (f *facts) add(one fact) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, one)
	close(f.changed)
	f.changed = make(chan struct{})
}

// since returns the facts of one kind from index from on, the next index, and a channel that is
// closed when there is more.
func (f *facts) since(kind string, from int) ([]fact, int, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []fact
	for _, one := range f.all[from:] {
		if one.Event == kind {
			found = append(found, one)
		}
	}
	return found, len(f.all), f.changed
}

// await returns the first fact of a kind; it waits until there is one, over is closed (then
// false) or ctx ends.
func (f *facts) await(ctx context.Context, kind string, over <-chan struct{}) (fact, bool) {
	from := 0
	for {
		found, next, changed := f.since(kind, from)
		if len(found) > 0 {
			return found[0], true
		}
		from = next
		select {
		case <-changed:
		case <-over:
			// What was printed last may have been read only now.
			found, _, _ = f.since(kind, from)
			if len(found) > 0 {
				return found[0], true
			}
			return fact{}, false
		case <-ctx.Done():
			return fact{}, false
		}
	}
}
