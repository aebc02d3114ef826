package proc

import "runtime"

// niceness of a process in the background: a tenth of the processor time of another one that
// wants to run, all of it when none does.
const niceness = 10

// Background makes this process, with all its threads, give way to others from now on, and leaves
// them half of the cores: for work that nobody waits for beside work that somebody does. A low
// priority alone is not enough, since a thread that wakes up waits for the end of a slice on
// whichever core it finds busy. There is no way back that every system allows. It does not change
// the priority of disk or network.
func Background() error {
	runtime.GOMAXPROCS(max(1, runtime.GOMAXPROCS(0)/2))
	return background()
}
