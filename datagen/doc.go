// Package datagen makes workloads: a [Spec] (seed, fleet, rate, disturbances) is a stream of
// events with an intended send time each, and so is a recording of real cars.
//
// # Data flow
//
//	Spec ──> schedule (when) ──┐
//	  └────> car (what) ───────┴─> Stream ──> disturbances ──> Planned: event, intended, labels
//	CSV ───> Recording ───────────────────────────────────────> Planned
//
// # What holds
//
//  1. The same Spec gives the same stream, byte by byte, on every machine: all arithmetic of the
//     model is in integers, and every random draw is a hash of (seed, car, what it is for).
//  2. [Spec.Reading] gives any reading without the rest of the fleet, equal to the stream's.
//  3. Sensor values are multiples of 1/256.
//  4. Intended times are strictly increasing, and those of readings that are not disturbed do not
//     depend on the disturbances (an open loop).
//  5. Every reading is sent at least once, whatever the disturbances.
//
// The core is pure: no goroutines, no I/O, no clock. Only csv.go and export.go read and write.
package datagen
