package report

import (
	"fmt"
	"time"

	"lambdakappa/bench/ledger"
)

// retention is the scenario that measures what history takes where it is kept.
const retention = "retention"

// A keeping is how much is written and for how long it is kept.
type keeping struct {
	bytesPerSecond float64
	kept           time.Duration
	copies         int
}

// bytes is what it takes on disks.
func (k keeping) bytes() float64 { return k.bytesPerSecond * k.kept.Seconds() * float64(k.copies) }

// sourceKeeping is the example of the source (slides 23 and 24): 100 MB/s, 30 days, three copies.
var sourceKeeping = keeping{bytesPerSecond: 100e6, kept: 30 * 24 * time.Hour, copies: 3}

// demoRate is the load of the published demo: 100,000 cars, a reading every 10 s each.
const demoRate = 10_000 // events/s

// keptTable repeats the arithmetic of the source, and does it again with the bytes per event that this run
// has measured, for the load of the published demo. The archive is kept in as many copies as the log.
func keptTable(gs []*group) table {
	t := table{
		Caption: "A month of history, computed: rate x time x copies",
		Head:    []string{"what", "bytes per second", "kept for", "copies", "on disks"},
	}
	add := func(what string, k keeping) {
		t.Rows = append(t.Rows, []cell{
			text(what), text(decimal(k.bytesPerSecond) + "/s"),
			text(fmt.Sprintf("%.0f days", k.kept.Hours()/24)), text(fmt.Sprint(k.copies)), text(decimal(k.bytes())),
		})
	}
	add("the example of the source", sourceKeeping)
	for _, g := range gs {
		xs := metricNamedIn("kept per event", g).values(g)
		if len(xs) == 0 || g.worst() != runRight {
			continue
		}
		k := sourceKeeping
		k.bytesPerSecond = ledger.Median(xs) * demoRate
		add(fmt.Sprintf("%d events/s at %s each, as measured where %s keeps them", demoRate,
			inUnit(ledger.Median(xs), "B"), g.Label), k)
	}
	return t
}

// metricNamedIn is a figure that the runs of a group bring with them.
func metricNamedIn(name string, g *group) metric { return metric{ledger.Named(name, g.Runs...)} }

// decimal prints bytes in powers of ten, as the makers of disks do.
func decimal(bytes float64) string {
	units := []string{"B", "KB", "MB", "GB", "TB", "PB"}
	i := 0
	for bytes >= 1000 && i < len(units)-1 {
		bytes, i = bytes/1000, i+1
	}
	return fmt.Sprintf("%.4g %s", bytes, units[i])
}
