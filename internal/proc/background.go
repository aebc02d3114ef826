package proc

// niceness of a process in the background: a tenth of the processor time of another one that
// wants to run, all of it when none does.
const niceness = 10

// Background makes this process, with all its threads, give way to others from now on: for work
// that nobody waits for beside work that somebody does. There is no way back that every system
// allows. It does not change the priority of disk or network.
func Background() error { return background() }
