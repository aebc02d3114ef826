package supervise

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// A Fact is one JSON line that a component printed on its stdout, such as
// {"event":"ready"} or {"event":"generation","generation":3,"rows":120000}.
type Fact struct {
	Event string
	At    time.Time       // when the driver read it
	Raw   json.RawMessage // the whole line
}

// Into decodes the fields of the fact.
func (f Fact) Into(v any) error {
	if err := json.Unmarshal(f.Raw, v); err != nil {
		return fmt.Errorf("read fact %s: %w", f.Event, err)
	}
	return nil
}

// Facts are all facts of a process so far, in order. It is safe for concurrent use.
type Facts struct {
	mu      sync.Mutex
	all     []Fact
	changed chan struct{} // closed and replaced whenever all grows
}

// NewFacts returns the facts of a process that has said nothing yet.
func NewFacts() *Facts { return &Facts{changed: make(chan struct{})} }

// read notes every JSON line of r until it ends. Lines that are not JSON objects are no facts.
func (f *Facts) read(r io.Reader) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var head struct{ Event string }
		if json.Unmarshal(lines.Bytes(), &head) != nil || head.Event == "" {
			continue
		}
		f.Add(Fact{head.Event, time.Now(), append(json.RawMessage(nil), lines.Bytes()...)})
	}
	_, _ = io.Copy(io.Discard, r) // a line without end must not block the component
}

// Add notes one more.
func (f *Facts) Add(one Fact) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, one)
	close(f.changed)
	f.changed = make(chan struct{})
}

// All returns all of them so far.
func (f *Facts) All() []Fact {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.all)
}

// Since returns the facts of one kind from index from on, the next index, and a channel that is
// closed when there is more.
func (f *Facts) Since(kind string, from int) ([]Fact, int, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []Fact
	for _, one := range f.all[from:] {
		if one.Event == kind {
			found = append(found, one)
		}
	}
	return found, len(f.all), f.changed
}

// Await returns the first fact of a kind; it waits until there is one, over is closed (then
// false) or ctx ends.
func (f *Facts) Await(ctx context.Context, kind string, over <-chan struct{}) (Fact, bool) {
	from := 0
	for {
		found, next, changed := f.Since(kind, from)
		if len(found) > 0 {
			return found[0], true
		}
		from = next
		select {
		case <-changed:
		case <-over:
			// What was printed last may have been read only now.
			found, _, _ = f.Since(kind, from)
			if len(found) > 0 {
				return found[0], true
			}
			return Fact{}, false
		case <-ctx.Done():
			return Fact{}, false
		}
	}
}
