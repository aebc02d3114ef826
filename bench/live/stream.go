package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// writeWithin is how long a browser may take for what it is sent at once, be it the history. One that takes longer is gone: a
// laptop that was closed, a tab that is stuck.
const writeWithin = 10 * time.Second

// past is what a stream begins with.
type past struct {
	hello   json.RawMessage
	ticks   []json.RawMessage
	notes   []json.RawMessage
	batches []json.RawMessage
	cars    json.RawMessage // nil: none yet
}

// ServeStream is GET /live/stream: what was, then what happens, until the browser goes or is sent away. A server's WriteTimeout
// does not end it.
func (h *Hub) ServeStream(w http.ResponseWriter, r *http.Request) {
	c, past, err := h.join()
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	defer h.leave(c)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	s := &stream{w: w, control: http.NewResponseController(w)}
	s.begin(past)
	for s.err == nil {
		select {
		case <-r.Context().Done():
			return
		case e, ok := <-c.events:
			if !ok {
				bye, _ := json.Marshal(Bye{c.bye}) // a string: there is always JSON for it
				s.say(event{"bye", bye})
				return
			}
			s.say(e)
		}
	}
}

// A stream writes events. After its first error it writes nothing.
type stream struct {
	w       io.Writer
	control *http.ResponseController
	err     error
}

// begin says hello, and the history. The history is not put together first: it is some megabytes, for every browser.
func (s *stream) begin(p *past) {
	s.start()
	s.write("retry: 1000\n\n")
	s.say(event{"hello", p.hello})
	s.write(`event: history` + "\n" + `data: {"ticks":`)
	s.list(p.ticks)
	s.write(`,"notes":`)
	s.list(p.notes)
	s.write(`,"batches":`)
	s.list(p.batches)
	s.write(`,"cars":`)
	if p.cars == nil {
		p.cars = json.RawMessage("null")
	}
	s.write(string(p.cars))
	s.write("}\n\n")
	s.flush()
}

func (s *stream) list(all []json.RawMessage) {
	s.write("[")
	for i, j := range all {
		if i > 0 {
			s.write(",")
		}
		s.write(string(j))
	}
	s.write("]")
}

func (s *stream) say(e event) {
	s.start()
	s.write(fmt.Sprintf("event: %s\ndata: %s\n\n", e.name, e.json))
	s.flush()
}

func (s *stream) write(text string) {
	if s.err == nil {
		_, s.err = io.WriteString(s.w, text)
	}
}

// start gives the browser time for what is written until the next flush.
func (s *stream) start() {
	err := s.control.SetWriteDeadline(time.Now().Add(writeWithin))
	if s.err == nil && !errors.Is(err, http.ErrNotSupported) {
		s.err = err
	}
}

func (s *stream) flush() {
	if s.err == nil {
		s.err = s.control.Flush()
	}
}
