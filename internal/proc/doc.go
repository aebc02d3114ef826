// Package proc is what differs by operating system: what a process took from the machine, how its
// end is asked for and forced, how it gives way to others, how a file is made durable, and what the
// machine is.
//
// A figure that a system cannot give is marked as not measured, never guessed:
//
//	                        Linux   macOS   Windows
//	CPU seconds             yes     yes     yes
//	resident memory         yes     yes     yes
//	peak resident memory    yes     no      no
//	storage bytes           yes     yes     no
//	system call bytes       yes     no      yes
package proc
