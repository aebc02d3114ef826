// Package supervise starts, watches, kills and stops the processes of one binary: the components of whatever is
// measured or shown. Each is an operating-system process, so that a crash is a crash, and what it takes is the
// kernel's own accounting.
//
// A component prints facts, JSON lines, on its stdout ([Facts]), and what it has to say to people on stderr, which goes to
// a log file. It ends when its stdin does, so that none outlives the supervisor.
package supervise
