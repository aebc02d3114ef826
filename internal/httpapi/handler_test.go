package httpapi

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/view"
)

// ask sends one request to the handler itself.
func ask(a Answers, method, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	Handler(a).ServeHTTP(w, r)
	return w
}

func TestEveryBadRequestNamesItsParameterAndWhatItTakes(t *testing.T) {
	f := func(method, target string, code int, parameter, takes string) {
		t.Helper()
		w := ask(newFake(Merged), method, target)
		require.Equal(t, code, w.Code, target)
		require.Equal(t, "application/json", w.Header().Get("Content-Type"))
		var bad Error
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &bad))
		require.Equal(t, parameter, bad.Parameter, target)
		require.Contains(t, bad.Takes, takes, target)
		require.NotEmpty(t, bad.Message)
	}
	for _, rows := range []string{"/v1/windows", "/v1/alerts", "/v1/trips"} {
		f("GET", rows+"?from=yesterday", 400, "from", "RFC 3339")
		f("GET", rows+"?to=", 400, "to", "epoch milliseconds")
		f("GET", rows+"?from=2026-01-01T00:00:00+02:00", 400, "from", "%2B")
		f("GET", rows+"?from=20&to=10", 400, "from", "not after to (10)")
		f("GET", rows+"?car=", 400, "car", "car_id")
		f("GET", rows+"?layer=batch", 400, "layer", "merged")
		f("GET", rows+"?form=1", 400, "form", "from, to, car, layer")
		f("GET", rows+"?from=1&from=2", 400, "from", "one value")
		f("GET", rows+"?car=%zz", 400, "car", "percent-encoded")
		f("GET", rows+"?%zz=1", 400, "query", "percent-encoded")
		f("POST", rows, 405, "method", "GET")
	}
	latest := "/v1/cars/car-1/windows/latest"
	f("GET", latest, 404, "car", "car_id")
	f("GET", latest+"?after_seq=-1", 400, "after_seq", "from 0")
	f("GET", latest+"?after_seq=one", 400, "after_seq", "integer")
	f("GET", latest+"?after_seq=1&wait=31s", 400, "wait", "30s")
	f("GET", latest+"?after_seq=1&wait=-1s", 400, "wait", "0s")
	f("GET", latest+"?after_seq=1&wait=5", 400, "wait", "500ms")
	f("GET", latest+"?wait=1s", 400, "wait", "beside after_seq")
	f("GET", latest+"?layer=speed", 400, "layer", "merged")
	f("GET", latest+"?from=1", 400, "from", "after_seq, wait, layer")
	f("DELETE", latest, 405, "method", "GET")
	f("GET", "/v1/status?verbose=1", 400, "verbose", "no parameters")
	f("GET", "/metrics?name=x", 400, "name", "no parameters")
	f("GET", "/v1/trains", 404, "path", "/v1/trips")
	f("GET", "/", 404, "path", "/v1/status")
	f("POST", "/v1/status", 405, "method", "GET")
}

func TestARangeIsWhatItsParametersSay(t *testing.T) {
	f := func(query string, want Range) {
		t.Helper()
		a := newFake(Merged, Batch, Speed)
		w := ask(a, "GET", "/v1/windows?"+query)
		require.Equal(t, 200, w.Code, w.Body)
		require.Equal(t, want, a.asked)
	}
	everything := Range{From: math.MinInt64, To: math.MaxInt64, Layer: Merged}
	f("", everything)
	f("&&", everything)
	f("from=10&to=10", Range{From: 10, To: 10, Layer: Merged})
	f("from=1970-01-01T00:00:01Z&to=1970-01-01T02:00:02.5%2B02:00",
		Range{From: 1000, To: 2500, Layer: Merged})
	// Between two milliseconds: the later one, so that no row before `from` is in.
	f("from=1970-01-01T00:00:00.0001Z&to=1970-01-01T00:00:00.001Z",
		Range{From: 1, To: 1, Layer: Merged})
	f("car=car%2D1&layer=speed&from=-5",
		Range{From: -5, To: math.MaxInt64, Car: "car-1", Layer: Speed})
	f("layer=batch", Range{From: math.MinInt64, To: math.MaxInt64, Layer: Batch})
}

// Ensure that a range of which nothing is kept is refused with what is, and one that overlaps is answered.
func TestARangeBeforeWhatIsKeptIsGone(t *testing.T) {
	a := newFake(Merged)
	a.keptFrom = map[string]int64{"": 20_000, "car-1": 10_000}
	f := func(query string, code int) {
		t.Helper()
		require.Equal(t, 200, ask(a, "GET", "/v1/trips?"+query).Code, "trips are kept by their end")
		for _, rows := range []string{"/v1/windows?", "/v1/alerts?"} {
			w := ask(a, "GET", rows+query)
			require.Equal(t, code, w.Code, w.Body)
			if code != 200 {
				var bad Error
				require.NoError(t, json.Unmarshal(w.Body.Bytes(), &bad))
				require.Equal(t, "to", bad.Parameter)
				require.Contains(t, bad.Takes, "1970-01-01T00:00:")
				require.Contains(t, bad.Takes, "kept_from")
			}
		}
	}
	f("", 200)
	f("from=5000&to=20000", 410)
	f("from=5000&to=20001", 200)
	f("to=15000&car=car-1", 200)
	f("to=10000&car=car-1", 410)
	f("to=-1&car=car-2", 200) // nothing of it was ever dropped

	var s Status
	require.NoError(t, json.Unmarshal(ask(a, "GET", "/v1/status").Body.Bytes(), &s))
	require.EqualValues(t, 20_000, s.KeptFrom)
	require.NotContains(t, ask(newFake(Merged), "GET", "/v1/status").Body.String(), "kept_from")
}

func TestEveryAnswerNamesItsVersion(t *testing.T) {
	a := newFake(Merged)
	a.see("car-1", 4)
	for _, path := range []string{
		"/v1/windows", "/v1/alerts", "/v1/trips", "/v1/cars/car-1/windows/latest", "/v1/status",
	} {
		w := ask(a, "GET", path)
		require.Equal(t, 200, w.Code)
		require.Equal(t, "v2", w.Header().Get("Lambdakappa-Version"))
		require.Equal(t, "7", w.Header().Get("Lambdakappa-Generation"))
		if w.Header().Get("Content-Type") == "application/json" {
			var s Stamp
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &s))
			require.Equal(t, a.stamp, s)
		}
	}
}

func TestTheFormatIsWhatAcceptAsksFor(t *testing.T) {
	f := func(accept, want string) {
		t.Helper()
		w := ask(newFake(Merged), "GET", "/v1/windows", "Accept", accept)
		require.Equal(t, 200, w.Code)
		require.Equal(t, want, w.Header().Get("Content-Type"))
		require.Equal(t, "Accept", w.Header().Get("Vary"))
	}
	f("", "application/x-ndjson")
	f("*/*", "application/x-ndjson")
	f("text/html, application/json;q=0.9", "application/x-ndjson")
	f(ArrowType, ArrowType)
	f("application/json;q=0.5, APPLICATION/vnd.apache.arrow.stream; q=1", ArrowType)
}

func TestAnAnswerThatCannotBeFinishedDoesNotLookWhole(t *testing.T) {
	a := newFake(Merged)
	a.see("car-1", 4)
	for _, accept := range []string{"", ArrowType} {
		r := httptest.NewRequest("GET", "/v1/windows", nil)
		r.Header.Set("Accept", accept)
		require.PanicsWithValue(t, http.ErrAbortHandler, func() {
			Handler(a).ServeHTTP(goneClient{httptest.NewRecorder()}, r)
		})
	}
}

// goneClient is a connection that takes nothing more.
type goneClient struct{ http.ResponseWriter }

func (goneClient) Write([]byte) (int, error) { return 0, http.ErrHandlerTimeout }

func TestMetricsShowTheStatusAndTheRequests(t *testing.T) {
	h := Handler(newFake(Merged))
	get := func(target string) string {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
		return w.Body.String()
	}
	get("/v1/windows")
	get("/v1/windows?from=x")
	text := get("/metrics")
	for _, line := range []string{
		`lambdakappa_answers_info{architecture="lambda",version="v2"} 1`,
		`lambdakappa_generation 7`,
		`lambdakappa_lag 4`,
		`lambdakappa_rows{view="windows"} 2`,
		`lambdakappa_rows{view="trips"} 4`,
		`lambdakappa_dropped_late 1`,
		`lambdakappa_dropped_late_trips 3`,
		`lambdakappa_dead_letters{reason="future"} 2`,
		`lambdakappa_dead_letters{reason="malformed"} 0`,
		`lambdakappa_position{partition="0"} 5`,
		`lambdakappa_watermark_seconds{partition="0"} 12`,
		`lambdakappa_http_requests_total{code="200",endpoint="windows"} 1`,
		`lambdakappa_http_requests_total{code="400",endpoint="windows"} 1`,
	} {
		require.Contains(t, text, line+"\n")
	}
	require.NotContains(t, text, `watermark_seconds{partition="1"}`, "nothing was read there")
}

// Ensure that a system without trips says so, and how to get them: not that there are none.
func TestTripsThatAreNotKept(t *testing.T) {
	a := newFake(Merged)
	a.noTrips = true
	w := ask(a, "GET", "/v1/trips")
	require.Equal(t, 404, w.Code)
	require.Contains(t, w.Body.String(), "trips are not kept")
	require.Contains(t, w.Body.String(), "--views windows,alerts,trips")
}

func TestJSONSaysNullForWhatItCannotSay(t *testing.T) {
	line := string(appendAlert(nil, &view.Alert{Rule: view.TireLeak, Score: math.Inf(1)}))
	require.Contains(t, line, `"score":null`)
	rows, err := readLines(strings.NewReader(line), newAlertRow, alertRow.alert)
	require.NoError(t, err)
	require.True(t, math.IsNaN(rows[0].Score), "and it is read as something that equals nothing")
}
