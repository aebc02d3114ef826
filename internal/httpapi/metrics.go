package httpapi

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"lambdakappa/event"
	"lambdakappa/view"
)

// metrics is what /metrics serves: the state of the answers, read at each scrape, and the requests.
type metrics struct {
	requests *prometheus.CounterVec // by endpoint and status code
	scrape   http.Handler
}

func newMetrics(a Answers) *metrics {
	m := &metrics{requests: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "lambdakappa_http_requests_total",
		Help: "Requests answered, by endpoint and status code.",
	}, []string{"endpoint", "code"})}
	registry := prometheus.NewRegistry()
	registry.MustRegister(m.requests, statusCollector{a},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.scrape = promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	return m
}

// count serves f and counts its answers.
func (m *metrics) count(name string, f endpoint) http.Handler {
	ok := m.requests.WithLabelValues(name, "200")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		code := f.serve(w, r)
		if code == http.StatusOK {
			ok.Inc()
			return
		}
		m.requests.WithLabelValues(name, strconv.Itoa(code)).Inc()
	})
}

func (m *metrics) serve(w http.ResponseWriter, r *http.Request) *Error {
	if _, bad := parseQuery(r.URL.RawQuery); bad != nil {
		return bad
	}
	m.scrape.ServeHTTP(w, r)
	return nil
}

// statusCollector turns Status into metrics. All are gauges, the counters of events too: they
// belong to an answer, and on Lambda a new generation may count less (what speed dropped late,
// batch counts in).
type statusCollector struct{ answers Answers }

func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("lambdakappa_"+name, help, labels, nil)
}

var (
	answersDesc     = gauge("answers_info", "What the answers come from.", "architecture", "version")
	generationDesc  = gauge("generation", "Generation of batch and speed view; 0 on Kappa.")
	lagDesc         = gauge("lag", "Offsets behind the end of the log, over all partitions.")
	rowsDesc        = gauge("rows", "Rows served.", "view")
	eventsDesc      = gauge("events", "Offsets that the answers reflect.")
	droppedLateDesc = gauge("dropped_late", "Events that windows and alerts dropped late.")
	lateTripsDesc   = gauge("dropped_late_trips", "Events that the trips dropped late.") //bench:change view
	duplicatesDesc  = gauge("duplicates", "Events that are byte-identical to an earlier one.")
	conflictsDesc   = gauge("conflicts", "Events with an earlier one's identity and other content.")
	deadLettersDesc = gauge("dead_letters", "Events that went to the dead letters.", "reason")
	positionDesc    = gauge("position", "The answers reflect the offsets below.", "partition")
	boundaryDesc    = gauge("boundary", "First offset not covered by the batch view.", "partition")
	endOffsetDesc   = gauge("end_offset", "Exclusive end of the log.", "partition")
	watermarkDesc   = gauge("watermark_seconds", "Event time believed complete, Unix s.", "partition")
)

func (c statusCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		answersDesc, generationDesc, lagDesc, rowsDesc, eventsDesc, droppedLateDesc,
		lateTripsDesc, //bench:change view
		duplicatesDesc, conflictsDesc, deadLettersDesc, positionDesc, boundaryDesc, endOffsetDesc, watermarkDesc,
	} {
		ch <- d
	}
}

func (c statusCollector) Collect(ch chan<- prometheus.Metric) {
	s := c.answers.Status()
	send := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	send(answersDesc, 1, s.Architecture, s.Version)
	send(generationDesc, float64(s.Generation))
	send(lagDesc, float64(s.Lag))
	send(rowsDesc, float64(s.Rows.Windows), "windows")
	send(rowsDesc, float64(s.Rows.Alerts), "alerts")
	send(eventsDesc, float64(s.Counters.Events))
	send(droppedLateDesc, float64(s.Counters.DroppedLate))
	if s.Views.Has(view.Trips) { //bench:change view
		send(rowsDesc, float64(s.Rows.Trips), "trips")
		send(lateTripsDesc, float64(s.Counters.DroppedLateTrips))
	}
	send(duplicatesDesc, float64(s.Counters.Duplicates))
	send(conflictsDesc, float64(s.Counters.Conflicts))
	for _, reason := range event.Reasons {
		send(deadLettersDesc, float64(s.Counters.DeadLetters[reason]), string(reason))
	}
	for _, p := range s.Partitions {
		partition := strconv.Itoa(p.Partition)
		send(positionDesc, float64(p.Position), partition)
		send(boundaryDesc, float64(p.Boundary), partition)
		send(endOffsetDesc, float64(p.EndOffset), partition)
		if p.Watermark != int64(event.NoWatermark) {
			send(watermarkDesc, float64(p.Watermark)/1000, partition)
		}
	}
}
