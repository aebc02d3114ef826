package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
)

// The hub's limits. What it holds is at most the ticks of five minutes (some 3 MB), and a queue per browser.
const (
	historyMS   = 300_000 // what the page shows
	mostTicks   = 1200    // four a second
	mostNotes   = 100     // lines of the page's log
	mostBatches = 300     // one a second at the most
	mostStreams = 64      // a class and its teacher; more than that is somebody who forgets to hang up
	queue       = 64      // events that a browser may be behind, some ten seconds
)

// A Hub has every browser hear what is published, and tells those that come later what they missed of the last five minutes. A
// browser that is slower than the events come is sent away; it connects again by itself, and begins with the history.
//
// Its methods may be called by anybody at any time. Events are heard in the order in which their calls return. Before the
// first [Hub.Hello] nobody is let in.
type Hub struct {
	mu       sync.Mutex
	hello    json.RawMessage
	ticks    ring[stamped]
	notes    ring[json.RawMessage]
	batches  ring[stamped]
	cars     json.RawMessage
	newest   int64            // At of the last tick
	clients  map[*client]bool // those that hear events
	streams  int              // those, and others that are still being sent away
	farewell string           // why the hub is closed, "" while it is not
}

// stamped is an event with its moment, ms Unix.
type stamped struct {
	at   int64
	json json.RawMessage
}

// An event is one of a stream. Its JSON is one line, and nobody changes it.
type event struct {
	name string
	json json.RawMessage
}

// A client is one browser. Closing events sends it away with bye, which is set before.
type client struct {
	events chan event
	bye    string
}

// NewHub returns a hub that has heard of nothing.
func NewHub() *Hub {
	return &Hub{
		ticks:   ring[stamped]{most: mostTicks},
		notes:   ring[json.RawMessage]{most: mostNotes},
		batches: ring[stamped]{most: mostBatches},
		clients: map[*client]bool{},
	}
}

// Hello says what a stream begins with from now on, also to those that listen already.
func (h *Hub) Hello(x Hello) error {
	return h.publish("hello", x, func(j json.RawMessage) { h.hello = j })
}

// Tick publishes the state of everything.
func (h *Hub) Tick(x Tick) error {
	return h.publish("tick", x, func(j json.RawMessage) {
		h.ticks.put(stamped{x.At, j})
		h.newest = x.At
	})
}

// Note publishes a line of the page's log.
func (h *Hub) Note(x Note) error {
	return h.publish("note", x, func(j json.RawMessage) { h.notes.put(j) })
}

// Batch publishes that a batch view went live.
func (h *Hub) Batch(x Batch) error {
	return h.publish("batch", x, func(j json.RawMessage) { h.batches.put(stamped{x.At, j}) })
}

// Cars publishes what is known of every car.
func (h *Hub) Cars(x Cars) error {
	return h.publish("cars", x, func(j json.RawMessage) { h.cars = j })
}

// publish keeps an event, and passes it on. An error is one of the value: JSON has no word for it (a NaN).
func (h *Hub) publish(name string, x any, keep func(json.RawMessage)) error {
	encoded, err := json.Marshal(x)
	if err != nil {
		return fmt.Errorf("publish %s: %w", name, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.farewell != "" {
		return nil
	}
	keep(encoded)
	for c := range h.clients {
		select {
		case c.events <- event{name, encoded}:
		default:
			h.dismiss(c, "this browser is too slow for what happens")
		}
	}
	return nil
}

// dismiss sends a client away: it still gets what it is behind, and then bye.
func (h *Hub) dismiss(c *client, why string) {
	delete(h.clients, c)
	c.bye = why
	close(c.events)
}

// Close sends everybody away, with the reason. What is published afterwards is heard by nobody.
func (h *Hub) Close(why string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.farewell = why
	for c := range h.clients {
		h.dismiss(c, why)
	}
}

// join lets a client in: it hears everything that is published from now on, and the past is what was published before.
func (h *Hub) join() (*client, *past, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.farewell != "":
		return nil, nil, errors.New(h.farewell)
	case h.hello == nil:
		return nil, nil, errors.New("nothing is running yet: try again in a second")
	case h.streams == mostStreams:
		return nil, nil, fmt.Errorf("%d pages are connected already: close some", mostStreams)
	}
	h.streams++
	c := &client{events: make(chan event, queue)}
	h.clients[c] = true
	return c, &past{h.hello, h.recent(h.ticks), h.notes.all(), h.recent(h.batches), h.cars}, nil
}

// leave is called once for every client that joined.
func (h *Hub) leave(c *client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.streams--
	delete(h.clients, c)
}

// recent are those of the last five minutes before the newest tick.
func (h *Hub) recent(r ring[stamped]) []json.RawMessage {
	var all []json.RawMessage
	for _, s := range r.all() {
		if s.at > h.newest-historyMS {
			all = append(all, s.json)
		}
	}
	return all
}
