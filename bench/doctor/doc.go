// Package doctor says whether a machine is fit for this project, before a room full of people finds out:
// Go, memory, disk, ports, timer, and the rate of events that it sustains.
//
// Every check has a verdict, a figure and, where something should be done, a remedy. The rate is measured by
// the benchmark itself ([bench.Sustain]): both architectures on one log, every answer held against the truth.
// It is kept in a file of this user and this machine, for whoever chooses a load later: see [Sustained].
package doctor
