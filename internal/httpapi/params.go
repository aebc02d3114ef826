package httpapi

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MaxWait bounds a blocking query. A caller that wants to wait longer asks again, so that a
// caller that has gone away without a word holds nothing for longer than this.
const MaxWait = 30 * time.Second

const (
	takesTime = "RFC 3339 (2026-11-22T23:30:00.000Z, with a + written as %2B) or epoch milliseconds"
	takesCar  = "a car_id, such as car-00042"
	takesSeq  = "an integer from 0"
	takesWait = "a duration from 0s to 30s, such as 500ms, beside after_seq"
)

// A query is the parameters of one request, each at most once.
type query map[string]string

// parseQuery splits a raw query string. Every name must be one of names.
func parseQuery(raw string, names ...string) (query, *Error) {
	var q query
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		name, value, err := unescapePair(pair)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(names, name) {
			return nil, unknownParameter(name, names)
		}
		if _, twice := q[name]; twice {
			return nil, badParameter(name, value, "one value, and it was given twice")
		}
		if q == nil {
			q = query{}
		}
		q[name] = value
	}
	return q, nil
}

func unescapePair(pair string) (name, value string, bad *Error) {
	name, value, _ = strings.Cut(pair, "=")
	name, err := url.QueryUnescape(name)
	if err != nil {
		return "", "", badParameter("query", pair, "percent-encoded name=value pairs")
	}
	unescaped, err := url.QueryUnescape(value)
	if err != nil {
		return "", "", badParameter(name, value, "a percent-encoded value")
	}
	return name, unescaped, nil
}

func unknownParameter(name string, names []string) *Error {
	takes := "no parameters"
	if len(names) > 0 {
		takes = "the parameters " + strings.Join(names, ", ")
	}
	return &Error{
		Code:      http.StatusBadRequest,
		Message:   fmt.Sprintf("unknown parameter %q", name),
		Parameter: name,
		Takes:     takes,
	}
}

// parseRange reads the parameters of a range query.
func parseRange(raw string, layers []Layer) (Range, *Error) {
	r := All()
	q, bad := parseQuery(raw, "from", "to", "car", "layer")
	if bad != nil {
		return r, bad
	}
	if bad := q.time("from", &r.From); bad != nil {
		return r, bad
	}
	if bad := q.time("to", &r.To); bad != nil {
		return r, bad
	}
	if r.From > r.To {
		return r, badParameter("from", q["from"], "a time that is not after to ("+q["to"]+")")
	}
	if car, given := q["car"]; given {
		if car == "" {
			return r, badParameter("car", car, takesCar)
		}
		r.Car = car
	}
	r.Layer, bad = q.layer(layers)
	return r, bad
}

// A latestQuery is the parameters of a point query.
type latestQuery struct {
	afterSeq int64 // -1 when it was not given
	wait     time.Duration
	layer    Layer
}

// parseLatest reads the parameters of a point query.
func parseLatest(raw string, layers []Layer) (latestQuery, *Error) {
	l := latestQuery{afterSeq: -1}
	q, bad := parseQuery(raw, "after_seq", "wait", "layer")
	if bad != nil {
		return l, bad
	}
	if text, given := q["after_seq"]; given {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return l, badParameter("after_seq", text, takesSeq)
		}
		l.afterSeq = n
	}
	if text, given := q["wait"]; given {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 || d > MaxWait || l.afterSeq < 0 {
			return l, badParameter("wait", text, takesWait)
		}
		l.wait = d
	}
	l.layer, bad = q.layer(layers)
	return l, bad
}

// time sets *ms when the parameter was given. A time between two milliseconds is the later one:
// rows have whole milliseconds, so [from, to) selects the same of them.
func (q query) time(name string, ms *int64) *Error {
	text, given := q[name]
	if !given {
		return nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		*ms = n
		return nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return badParameter(name, text, takesTime)
	}
	*ms = t.Add(time.Millisecond - 1).UnixMilli()
	return nil
}

// layer returns the layer that was asked for, by default the first.
func (q query) layer(layers []Layer) (Layer, *Error) {
	text, given := q["layer"]
	if !given {
		return layers[0], nil
	}
	if !slices.Contains(layers, Layer(text)) {
		return "", badParameter("layer", text, takesLayer(layers))
	}
	return Layer(text), nil
}

func takesLayer(layers []Layer) string {
	names := make([]string, len(layers))
	for i, l := range layers {
		names[i] = string(l)
	}
	return strings.Join(names, ", ")
}

// encode writes r as the query string that parseRange reads.
func (r Range) encode() string {
	v := url.Values{}
	if r.From != math.MinInt64 {
		v.Set("from", strconv.FormatInt(r.From, 10))
	}
	if r.To != math.MaxInt64 {
		v.Set("to", strconv.FormatInt(r.To, 10))
	}
	if r.Car != "" {
		v.Set("car", r.Car)
	}
	if r.Layer != "" {
		v.Set("layer", string(r.Layer))
	}
	return v.Encode()
}

// wantsArrow reports whether the Accept header lists the Arrow stream type.
func wantsArrow(h http.Header) bool {
	for _, line := range h["Accept"] {
		for item := range strings.SplitSeq(line, ",") {
			mediaType, _, _ := strings.Cut(item, ";")
			if strings.EqualFold(strings.TrimSpace(mediaType), ArrowType) {
				return true
			}
		}
	}
	return false
}
