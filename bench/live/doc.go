// Package live is the live page: both architectures at work on one log, what they answer held against the truth while it happens,
// and buttons that really do what they say.
//
// The server fills a [Hub]; the hub has every browser that looks hear the same (GET /live/stream, server-sent events); the
// page (assets/, no framework, no build step) draws it. What passes between them is in message.go. Nothing here grows with
// time: the hub keeps five minutes, and so does the page.
package live
