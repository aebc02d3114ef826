package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"lambdakappa/view"
)

// ArrowType is the media type of an Arrow IPC stream, for the Accept header.
const ArrowType = "application/vnd.apache.arrow.stream"

// The paths, and what an unknown one is told.
const (
	windowsPath = "/v1/windows"
	alertsPath  = "/v1/alerts"
	tripsPath   = "/v1/trips" //bench:change view
	latestPath  = "/v1/cars/{car}/windows/latest"
	statusPath  = "/v1/status"
	metricsPath = "/metrics"

	takesMethod = "GET, HEAD"
)

var takesPath = strings.Join([]string{
	windowsPath,
	alertsPath,
	tripsPath, //bench:change view
	latestPath,
	statusPath,
	metricsPath,
}, ", ")

// The headers that name what an answer was computed from.
const (
	versionHeader    = "Lambdakappa-Version"
	generationHeader = "Lambdakappa-Generation"
	mistakeHeader    = "Lambdakappa-Mistake"
)

// Header values that never change: shared, so that a point query allocates none of them.
var (
	jsonType   = []string{"application/json"}
	ndjsonType = []string{"application/x-ndjson"}
	arrowType  = []string{ArrowType}
	varyAccept = []string{"Accept"}
)

type handler struct {
	answers Answers
	buffers sync.Pool // of *[]byte: a point query's answer
}

// Handler serves a side's answers under /v1 and /metrics.
func Handler(a Answers) http.Handler {
	h := &handler{answers: a}
	h.buffers.New = func() any { return new([]byte) }
	m := newMetrics(a)
	mux := http.NewServeMux()
	mux.Handle(windowsPath, m.count("windows", h.windows))
	mux.Handle(alertsPath, m.count("alerts", h.alerts))
	mux.Handle(tripsPath, m.count("trips", h.trips)) //bench:change view
	mux.Handle(latestPath, m.count("latest", h.latest))
	mux.Handle(statusPath, m.count("status", h.status))
	mux.Handle(metricsPath, m.count("metrics", m.serve))
	mux.Handle("/", m.count("unknown", unknownPath))
	return mux
}

// An endpoint answers a GET; the error, if any, becomes the whole answer.
type endpoint func(w http.ResponseWriter, r *http.Request) *Error

// serve answers r and returns the status code.
func (f endpoint) serve(w http.ResponseWriter, r *http.Request) int {
	bad := checkMethod(w, r)
	if bad == nil {
		bad = f(w, r)
	}
	if bad == nil {
		return http.StatusOK
	}
	bad.write(w)
	return bad.Code
}

func checkMethod(w http.ResponseWriter, r *http.Request) *Error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	w.Header().Set("Allow", takesMethod)
	return &Error{
		Code:      http.StatusMethodNotAllowed,
		Message:   "method " + r.Method + " is not allowed: answers are only read",
		Parameter: "method",
		Takes:     takesMethod,
	}
}

func unknownPath(_ http.ResponseWriter, r *http.Request) *Error {
	return &Error{
		Code:      http.StatusNotFound,
		Message:   fmt.Sprintf("unknown path %q", r.URL.Path),
		Parameter: "path",
		Takes:     takesPath,
	}
}

// selected reads the parameters of a range query about what is kept by when it begins.
func (h *handler) selected(r *http.Request) (Range, *Error) {
	selected, bad := parseRange(r.URL.RawQuery, h.answers.Layers())
	if bad == nil {
		if from := h.answers.KeptFrom(selected.Car); from > 0 && selected.To <= from {
			bad = goneRange(from)
		}
	}
	return selected, bad
}

func (h *handler) windows(w http.ResponseWriter, r *http.Request) *Error {
	selected, bad := h.selected(r)
	if bad != nil {
		return bad
	}
	rows, stamp := h.answers.Windows(selected)
	writeRows(w, r, rows, stamp, windowColumns, appendWindow)
	return nil
}

func (h *handler) alerts(w http.ResponseWriter, r *http.Request) *Error {
	selected, bad := h.selected(r)
	if bad != nil {
		return bad
	}
	rows, stamp := h.answers.Alerts(selected)
	writeRows(w, r, rows, stamp, alertColumns, appendAlert)
	return nil
}

//bench:change view
func (h *handler) trips(w http.ResponseWriter, r *http.Request) *Error {
	selected, bad := parseRange(r.URL.RawQuery, h.answers.Layers()) // a trip that has begun long ago may be kept
	if bad != nil {
		return bad
	}
	rows, stamp, kept := h.answers.Trips(selected)
	if !kept {
		return &Error{
			Code:      http.StatusNotFound,
			Message:   "trips are not kept: components that are started with --views " + view.All.String() + " keep them",
			Parameter: "path",
			Takes:     takesPath,
		}
	}
	writeRows(w, r, rows, stamp, tripColumns, appendTrip)
	return nil
}

// writeRows sends rows in the format that the request asks for. It has no error to return: the
// status line is gone with the first row, and what fails afterwards is the connection.
func writeRows[R any](
	w http.ResponseWriter, r *http.Request, rows []R, s Stamp,
	columns func() []column[R], appendRow func([]byte, *R) []byte,
) {
	s.writeHeaders(w.Header())
	w.Header()["Vary"] = varyAccept
	var err error
	if wantsArrow(r.Header) {
		w.Header()["Content-Type"] = arrowType
		err = writeArrow(w, columns(), rows, s)
	} else {
		w.Header()["Content-Type"] = ndjsonType
		err = writeLines(w, rows, appendRow)
	}
	if err != nil {
		// Half an answer must not look like a whole one: this closes the connection.
		panic(http.ErrAbortHandler)
	}
}

// chunkSize is how much text is gathered before it is written to the connection.
const chunkSize = 32 << 10

// writeLines writes one line of JSON for every row.
func writeLines[R any](w io.Writer, rows []R, appendRow func([]byte, *R) []byte) error {
	chunk := make([]byte, 0, chunkSize+1024)
	for i := range rows {
		chunk = append(appendRow(chunk, &rows[i]), '\n')
		if len(chunk) < chunkSize && i < len(rows)-1 {
			continue
		}
		if _, err := w.Write(chunk); err != nil {
			return fmt.Errorf("write rows: %w", err)
		}
		chunk = chunk[:0]
	}
	return nil
}

func (h *handler) latest(w http.ResponseWriter, r *http.Request) *Error {
	q, bad := parseLatest(r.URL.RawQuery, h.answers.Layers())
	if bad != nil {
		return bad
	}
	ctx := r.Context()
	if q.afterSeq >= 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, q.wait)
		defer cancel()
	}
	car := r.PathValue("car")
	answer, found := h.answers.Latest(ctx, car, q.afterSeq, q.layer)
	answer.writeHeaders(w.Header())
	if !found {
		return &Error{
			Code:      http.StatusNotFound,
			Message:   fmt.Sprintf("car %q has no window yet", car),
			Parameter: "car",
			Takes:     takesCar,
		}
	}
	w.Header()["Content-Type"] = jsonType
	h.writeLatest(w, &answer)
	return nil
}

func (h *handler) writeLatest(w io.Writer, l *Latest) {
	buffer := h.buffers.Get().(*[]byte)
	defer h.buffers.Put(buffer)
	*buffer = append(appendLatest((*buffer)[:0], l), '\n')
	_, _ = w.Write(*buffer) // fails only when the client is gone
}

func (h *handler) status(w http.ResponseWriter, r *http.Request) *Error {
	if _, bad := parseQuery(r.URL.RawQuery); bad != nil {
		return bad
	}
	status := h.answers.Status()
	status.writeHeaders(w.Header())
	w.Header()["Content-Type"] = jsonType
	_ = json.NewEncoder(w).Encode(status) // fails only when the client is gone
	return nil
}

func (s Stamp) writeHeaders(h http.Header) {
	h[versionHeader] = []string{s.Version}
	h[generationHeader] = []string{strconv.FormatInt(s.Generation, 10)}
	if s.Mistake != "" {
		h[mistakeHeader] = []string{s.Mistake}
	}
}
