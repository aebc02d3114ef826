// Package fault plans what goes wrong while a workload is sent: steps by the clock, as a scenario
// writes them, and kills by chance, as a seed draws them. It starts, stops and kills nothing; the
// driver does that.
//
//	faults:
//	  - {at: 5s, do: stop, target: kappa process, for: 8s}    # SIGSTOP, and SIGCONT 8 s later
//	  - {at: 20s, do: broker-down, for: 3s}
//	random: {kills: 10, targets: [kappa process, lambda speed]}
//
// A plan is a pure function of what the scenario says, the seed, the components and the time that
// the workload takes. Printed, it is again a list of steps that a scenario can hold, so that any
// run can be had a second time, by its seed or by its plan.
//
// Everything is checked before anything starts. Contradictions are errors: two faults at a time on
// one target, a start of a component while there is no broker to start with, a fault that the
// workload would not live to see.
package fault
