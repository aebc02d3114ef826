package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// An Error is the body of every answer that is not 200 OK: what is wrong, which parameter it is
// about, and what that parameter takes.
type Error struct {
	Code      int    `json:"-"` // HTTP status
	Message   string `json:"error"`
	Parameter string `json:"parameter"` // "path" and "method" are parameters too
	Takes     string `json:"takes"`
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s (%s takes %s)", e.Message, e.Parameter, e.Takes)
}

// badParameter is the error of a parameter whose value is not one of what it takes.
func badParameter(name, value, takes string) *Error {
	return &Error{
		Code:      http.StatusBadRequest,
		Message:   fmt.Sprintf("bad value %q of parameter %s", value, name),
		Parameter: name,
		Takes:     takes,
	}
}

// goneRange is the error of a range before the event time (Unix ms) from which on rows are kept.
func goneRange(keptFrom int64) *Error {
	from := time.UnixMilli(keptFrom).UTC().Format(time.RFC3339Nano)
	return &Error{
		Code:      http.StatusGone,
		Message:   "the range ends before what is kept: rows from " + from + " on",
		Parameter: "to",
		Takes:     fmt.Sprintf("a time after %s (%d), the kept_from of %s", from, keptFrom, statusPath),
	}
}

// write sends e as the whole answer.
func (e *Error) write(w http.ResponseWriter) {
	w.Header()["Content-Type"] = jsonType
	w.WriteHeader(e.Code)
	// The only way that this fails is that the client is gone.
	_ = json.NewEncoder(w).Encode(e)
}
