package httpapi

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"lambdakappa/view"
)

func benchRows(n int) []view.Window {
	rows := make([]view.Window, n)
	for i := range rows {
		rows[i] = view.Window{
			WindowKey: view.WindowKey{CarID: fmt.Sprintf("car-%05d", i/100), Start: int64(i) * 10_000},
			Tally: view.Tally{
				Readings: 10, SpeedSum: int64(i) << 20, SpeedMax: 31.25, CoolantTempMax: 93.5,
				EngineVibrationMax: 1834.75, TirePressureMin: 31, BatteryVoltageMin: 231.5,
				CurrentDrawSum: int64(i) << 19, LastSeq: int64(i),
			},
		}
	}
	return rows
}

func BenchmarkLatestHandler(b *testing.B) {
	a := newFake(Merged)
	a.windows = benchRows(1)
	h := Handler(a)
	r := httptest.NewRequest("GET", "/v1/cars/car-00000/windows/latest", nil)
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(w, r)
	}
}

// discard is a response that goes nowhere.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(code int)        {}

// BenchmarkLatest is the whole way: client, connection, server.
func BenchmarkLatest(b *testing.B) {
	a := newFake(Merged)
	a.windows = benchRows(1)
	c := serveFake(b, a)
	b.ReportAllocs()
	for b.Loop() {
		if _, found, err := c.Latest(b.Context(), "car-00000", -1, 0, ""); err != nil || !found {
			b.Fatal(found, err)
		}
	}
}

func BenchmarkAppendWindow(b *testing.B) {
	rows, buffer := benchRows(1), []byte(nil)
	b.ReportAllocs()
	for b.Loop() {
		buffer = appendWindow(buffer[:0], &rows[0])
	}
}

func BenchmarkWindowRows(b *testing.B) {
	rows := benchRows(100_000)
	perRow := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(rows)), "ns/row")
	}
	b.Run("format=json", func(b *testing.B) {
		for b.Loop() {
			if err := writeLines(io.Discard, rows, appendWindow); err != nil {
				b.Fatal(err)
			}
		}
		perRow(b)
	})
	b.Run("format=arrow", func(b *testing.B) {
		for b.Loop() {
			if err := writeArrow(io.Discard, windowColumns(), rows, Stamp{}); err != nil {
				b.Fatal(err)
			}
		}
		perRow(b)
	})
}

func BenchmarkReadWindows(b *testing.B) {
	rows := benchRows(100_000)
	a := newFake(Merged)
	a.windows = rows
	c := serveFake(b, a)
	for b.Loop() {
		if got, _, err := c.Windows(b.Context(), All()); err != nil || len(got) != len(rows) {
			b.Fatal(len(got), err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(rows)), "ns/row")
}
