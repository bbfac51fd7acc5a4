package presence

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strconv"

	"freizeichen/sip"
)

const dialogSpace = "urn:ietf:params:xml:ns:dialog-info"

// A DialogInfo is what we read of a dialog-info document (RFC 4235 section 4.1).
type DialogInfo struct {
	Entity  string
	Version uint32 // grows by one with each document of a subscription
	Partial bool   // only the dialogs that have changed
	Dialogs []Dialog
}

// A Dialog is one dialog of a DialogInfo.
type Dialog struct{ ID, State string } // State: trying, proceeding, early, confirmed, terminated

// States are the names that a Dialog's State can have (RFC 4235 section 3.7.1).
func states() []string { return []string{"trying", "proceeding", "early", "confirmed", "terminated"} }

// ReadDialogInfo reads a dialog-info body.
func ReadDialogInfo(body []byte) (DialogInfo, error) {
	var d DialogInfo
	err := walk(body, func(path []xml.Name, start *xml.StartElement, content string) error {
		name := path[len(path)-1]
		switch {
		case name.Space != dialogSpace && len(path) > 1:
		case len(path) == 1 && start != nil:
			if name.Local != "dialog-info" || name.Space != dialogSpace {
				return refused("a document that is no dialog-info but <%.32s>", name.Local)
			}
			version, err := strconv.ParseUint(attribute(start, "version"), 10, 32)
			state := attribute(start, "state")
			if err != nil || state != "full" && state != "partial" {
				return refused("a dialog-info without version or state")
			}
			d.Entity, d.Version, d.Partial = attribute(start, "entity"), uint32(version), state == "partial"
		case len(path) == 2 && name.Local == "dialog" && start != nil:
			id := attribute(start, "id")
			if id == "" || len(d.Dialogs) >= dialogsMax {
				return refused("a dialog-info with a dialog without id, or with too many")
			}
			d.Dialogs = append(d.Dialogs, Dialog{ID: id})
		case len(path) == 3 && name.Local == "state" && start == nil && path[1].Local == "dialog" && len(d.Dialogs) > 0:
			if !slices.Contains(states(), content) {
				return refused("a dialog-info with the state %.32q", content)
			}
			d.Dialogs[len(d.Dialogs)-1].State = content
		}
		return nil
	})
	if err != nil {
		return DialogInfo{}, err
	}
	for _, dialog := range d.Dialogs {
		if dialog.State == "" {
			return DialogInfo{}, refused("a dialog-info with a dialog without state")
		}
	}
	return d, nil
}

// Body is the document as bytes.
func (d DialogInfo) Body() []byte {
	type dialog struct {
		ID    string `xml:"id,attr"`
		State string `xml:"state"`
	}
	state := "full"
	if d.Partial {
		state = "partial"
	}
	document := struct {
		XMLName xml.Name `xml:"urn:ietf:params:xml:ns:dialog-info dialog-info"`
		Version uint32   `xml:"version,attr"`
		State   string   `xml:"state,attr"`
		Entity  string   `xml:"entity,attr"`
		Dialogs []dialog `xml:"dialog"`
	}{Version: d.Version, State: state, Entity: d.Entity}
	for _, one := range d.Dialogs {
		document.Dialogs = append(document.Dialogs, dialog(one))
	}
	body, err := xml.Marshal(document)
	if err != nil {
		panic(fmt.Sprintf("presence: %v cannot be written: %v", d, err)) // strings and numbers always can
	}
	return append([]byte(xml.Header), body...)
}

// A Lamp is what the hints of a queue tell together.
type Lamp struct {
	Waiting []Dialog // of Queue:<name>: early while somebody waits
	// Taken are those of Queue:<name>_avail: confirmed while no agent is free. Nil: the exchange has no such hint, or has
	// not told yet.
	Taken []Dialog
}

// Status is the queue as its hints tell it: a lamp, no figures. SignedIn is 1 when something is known of agents, 0
// when it is not.
func (l Lamp) Status(queue string) sip.QueueStatus {
	s := sip.QueueStatus{Queue: queue, Coarse: true}
	if has(l.Waiting, "early") {
		s.Waiting = 1
	}
	if l.Taken != nil {
		s.SignedIn = 1
		if !has(l.Taken, "confirmed") {
			s.Free = 1
		}
	}
	return s
}

func has(dialogs []Dialog, state string) bool {
	return slices.ContainsFunc(dialogs, func(d Dialog) bool { return d.State == state })
}
