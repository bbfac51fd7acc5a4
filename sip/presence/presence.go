// Package presence reads and writes what is said about queues and phones by SIP presence. Pure: bytes in, sip's words
// out; it neither subscribes nor publishes.
//
//	sip.QueueStatus <--Text, ReadText--> {"t":1795359500,"w":1, ...} <--Document (PIDF, RFC 3863)--> body of NOTIFY and PUBLISH
//	sip.AgentChanged <--Bell, ReadBell-> {"t":1795359500,"c":17}     <-/
//	coarse QueueStatus <---------------- DialogInfo (RFC 4235) of the hints Queue:<name> and Queue:<name>_avail
//
// Everything that is read comes from the network: a body that is too large, broken, or tells what cannot be true is
// refused whole. A figure that is wrong is worse than none.
//
// The text rides in Asterisk's element <digium_presence>, or in a standard <note> of a presence server that knows no
// more than RFC 3863.
package presence

import (
	"errors"
	"fmt"

	"freizeichen/sip"
)

// Content types of the bodies.
const (
	PIDF       = "application/pidf+xml"        // RFC 3863 section 5
	DialogXML  = "application/dialog-info+xml" // RFC 4235 section 4
	queueKind  = "queue"
	agentKind  = "agent"
	textMax    = 4 << 10  // of a report, encoded or plain
	bodyMax    = 32 << 10 // of a document: a text whose every quote is written &quot; has room
	titleMax   = 64       // runes
	depthMax   = 16       // of elements within elements
	tokensMax  = 1000     // of XML in one body
	dialogsMax = 32       // of one dialog-info
	textsMax   = 8        // reports in one document
)

// ErrSilent: the document is well-formed, but nobody has put a report into it (yet).
var ErrSilent = errors.New("presence: the document carries no report")

// ReadQueue reads the report about a queue from a PIDF body. Where a presence server has joined several publications,
// the newest report counts. Every status that it returns is Plausible.
func ReadQueue(queue string, body []byte) (sip.QueueStatus, error) {
	var newest sip.QueueStatus
	err := newestOf(body, func(text string) error {
		status, err := ReadText(queue, text)
		if err == nil && (newest.Queue == "" || status.At.After(newest.At)) {
			newest = status
		}
		return err
	})
	return newest, err
}

// ReadBell reads the bell of a phone from a PIDF body.
func ReadBell(body []byte) (sip.AgentChanged, error) {
	var newest bell
	found := false
	err := newestOf(body, func(text string) error {
		b, err := readBell(text)
		if err == nil && (!found || b.at.After(newest.at)) {
			newest, found = b, true
		}
		return err
	})
	return sip.AgentChanged{Version: newest.version}, err
}

// newestOf hands each report of a body to take. It fails when take has refused all of them.
func newestOf(body []byte, take func(text string) error) error {
	document, err := ReadDocument(body)
	if err != nil {
		return err
	}
	if len(document.Texts) == 0 {
		return ErrSilent
	}
	refused := 0
	for _, text := range document.Texts {
		if e := take(text); e != nil {
			err = e
			refused++
		}
	}
	if refused < len(document.Texts) {
		return nil
	}
	return err
}

func refused(format string, arguments ...any) error {
	return fmt.Errorf("presence: "+format, arguments...)
}
