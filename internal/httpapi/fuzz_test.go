package httpapi

import (
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzParameters ensures that no query string does more than give an answer or a 400 that names
// its parameter, and that a range that was understood means the same when a client sends it on.
func FuzzParameters(f *testing.F) {
	for _, raw := range []string{
		"", "from=1&to=2&car=car-1&layer=merged", "from=2026-11-22T23:30:00.000Z", "wait=1s&after_seq=0",
		"from=%", "a&&b==;", "to=9223372036854775808", "from=9999-12-31T23:59:59.999999999Z", "car=%ff",
	} {
		f.Add(raw)
	}
	layers := []Layer{Merged, Batch, Speed}
	h := Handler(newFake(layers...))
	f.Fuzz(func(t *testing.T, raw string) {
		if r, bad := parseRange(raw, layers); bad == nil {
			again, bad := parseRange(r.encode(), layers)
			require.Nil(t, bad)
			require.Equal(t, r, again)
		}
		if q, bad := parseLatest(raw, layers); bad == nil && q.wait > 0 {
			return // it would wait
		}
		for _, path := range []string{windowsPath, alertsPath, tripsPath, "/v1/cars/c/windows/latest", statusPath} {
			request := httptest.NewRequest("GET", path, nil)
			request.URL.RawQuery = raw
			w := httptest.NewRecorder()
			h.ServeHTTP(w, request)
			if w.Code == 200 {
				continue
			}
			var bad Error
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &bad))
			require.NotEmpty(t, bad.Takes)
			require.Contains(t, []int{400, 404}, w.Code)
		}
	})
}
