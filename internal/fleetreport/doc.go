// Package fleetreport is the batch application behind both architectures: a daily report about the
// fleet, from the events that Lambda's ingest or Kappa's sink has archived. The two write one layout
// (docs/archive-layout.md), and this package is one consumer of it: it knows neither side.
//
// It reads what is there, whatever its age, and says up to where that is complete. A reading counts
// once, the one with the lowest offset; there is no lateness: whatever has arrived counts, on the day
// on which it was measured (UTC). The same files give the same report, byte by byte.
package fleetreport
