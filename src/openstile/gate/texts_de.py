"""German texts of the display: headline and advice by state, by feedback code and by refusal reason."""

STATE_TEXTS_DE = {
    "idle": ("Bereit", "Halten Sie Ihren Pass vor die Kamera."),
    "look": ("Pass gelesen", "Bitte in die Kamera schauen. Bei einem PIN-Pass die PIN eingeben."),
    "admitted": ("Willkommen", "Bitte durchgehen."),
    "out_of_service": ("Außer Betrieb", "Bitte benutzen Sie einen anderen Durchgang."),
}

LIGHT_TEXTS_DE = {
    "colours": "Der Bildschirm wechselt die Farbe.",
    "colours_or_key": "Der Bildschirm wechselt die Farbe; ohne Farben: Taste X.",
    "colours_or_button": "Der Bildschirm wechselt die Farbe; ohne Farben: Knopf drücken.",
    "declined": "Diesmal ohne Farben.",
}

FEEDBACK_TEXTS_DE = {
    "look_at_camera": ("In die Kamera schauen", "Es ist kein Gesicht im Bild."),
    "one_at_a_time": ("Bitte einzeln", "Nur eine Person vor der Kamera."),
    "come_closer": ("Näher kommen", "Treten Sie an die Kamera."),
    "move_to_middle": ("In die Mitte treten", "Ihr Gesicht ist nicht ganz im Bild."),
    "look_straight": ("Geradeaus schauen", "Wenden Sie das Gesicht zur Kamera."),
    "uncover_face": ("Gesicht frei machen", "Nehmen Sie ab, was Augen, Nase oder Mund bedeckt."),
    "hold_still": ("Stillhalten", "Das Bild ist unscharf."),
    "more_light": ("Mehr Licht", "Wenden Sie das Gesicht zum Licht."),
    "less_light": ("Weniger Licht", "Wenden Sie das Gesicht vom Licht ab."),
    "even_light": ("Licht von vorn", "Eine Seite des Gesichts ist viel dunkler als die andere."),
    "open_eyes": ("Augen öffnen", "Sie scheinen geschlossen oder von Haar oder Brille bedeckt."),
    "close_mouth": ("Mund schließen", "Er scheint offen zu sein."),
}

REASON_TEXTS_DE = {
    "pass_unreadable": ("Pass nicht gelesen", "Halten Sie den Code flach und ruhig und versuchen Sie es noch einmal."),
    "pass_version_unknown": (
        "Pass zu neu oder zu alt",
        "Dieser Durchgang kennt diese Art Pass nicht. Bitte Hilfe rufen.",
    ),
    "pass_for_other_gates": (
        "Nicht für diesen Durchgang",
        "Dieser Pass gilt an anderen Durchgängen. Bitte Hilfe rufen.",
    ),
    "pass_damaged": ("Pass beschädigt", "Der Code ist unvollständig. Bitte einen neuen Pass holen."),
    "pass_forged": ("Pass nicht echt", "Diesen Pass hat der Herausgeber nicht gemacht. Bitte Hilfe rufen."),
    "issuer_unknown": ("Herausgeber unbekannt", "Dieser Durchgang kennt den Herausgeber nicht. Bitte Hilfe rufen."),
    "issuer_revoked": (
        "Pass gilt nicht mehr",
        "Der Schlüssel des Herausgebers ist gesperrt. Bitte einen neuen Pass holen.",
    ),
    "pass_outdated": (
        "Pass muss erneuert werden",
        "Die Schlüssel dieser Durchgänge wurden gewechselt. Bitte einen neuen Pass holen.",
    ),
    "pass_expired": ("Pass abgelaufen", "Bitte einen neuen Pass holen."),
    "pass_not_yet_valid": ("Pass noch nicht gültig", "Kommen Sie am ersten Geltungstag wieder oder rufen Sie Hilfe."),
    "live_code_expired": ("Code zu alt", "Öffnen Sie den Pass auf dem Telefon und zeigen Sie den Code von jetzt."),
    "clock_unsure": ("Nicht bereit", "Dem Durchgang fehlt die Uhrzeit. Bitte einen anderen Durchgang benutzen."),
    "pass_revoked": ("Pass gesperrt", "Dieser Pass wurde gesperrt oder ruht. Bitte Hilfe rufen."),
    "status_unknown": (
        "Pass nicht prüfbar",
        "Dieser Durchgang weiß nicht, ob der Pass noch gilt. Bitte einen anderen Durchgang benutzen.",
    ),
    "product_not_accepted": ("Gilt hier nicht", "Ihr Ticket gilt nicht an diesem Durchgang. Bitte Hilfe rufen."),
    "live_code_needed": (
        "Bitte das Telefon",
        "Zeigen Sie den Code auf dem Telefon, für das der Pass gemacht ist.",
    ),
    "reference_not_supported": (
        "Hier nicht möglich",
        "Bitte einen anderen Durchgang benutzen oder einen neuen Pass holen.",
    ),
    "too_many_attempts": ("Zu viele Versuche", "Warten Sie einige Minuten oder rufen Sie Hilfe."),
    "used_recently": ("Eben benutzt", "Dieser Pass hat eben erst geöffnet. Bitte Hilfe rufen."),
    "no_face": ("Kein Gesicht gesehen", "Schauen Sie in die Kamera und versuchen Sie es noch einmal."),
    "two_faces": ("Bitte einzeln", "Nur eine Person vor der Kamera, dann noch einmal versuchen."),
    "face_too_far": ("Näher kommen", "Treten Sie an die Kamera und versuchen Sie es noch einmal."),
    "face_cut": ("In die Mitte treten", "Ihr Gesicht ist nicht ganz im Bild. Bitte noch einmal versuchen."),
    "face_turned": ("Geradeaus schauen", "Schauen Sie gerade in die Kamera und versuchen Sie es noch einmal."),
    "face_covered": (
        "Gesicht frei machen",
        "Nehmen Sie ab, was das Gesicht bedeckt, und versuchen Sie es noch einmal, oder rufen Sie Hilfe.",
    ),
    "face_blurred": ("Stillhalten", "Das Bild war unscharf. Bitte stillhalten und noch einmal versuchen."),
    "too_dark": ("Zu dunkel", "Hier ist zu wenig Licht. Bitte einen anderen Durchgang benutzen."),
    "too_bright": ("Zu hell", "Hier ist zu viel Licht. Bitte einen anderen Durchgang benutzen."),
    "too_flat": ("Bild zu blass", "In diesem Licht sind Sie kaum zu erkennen. Bitte einen anderen Durchgang benutzen."),
    "too_noisy": ("Bild zu schlecht", "Die Kamera sieht Sie hier schlecht. Bitte einen anderen Durchgang benutzen."),
    "face_does_not_match": (
        "Nicht erkannt",
        "Mütze oder Sonnenbrille abnehmen und noch einmal versuchen, oder Hilfe rufen.",
    ),
    "attack_suspected": (
        "Hier nicht möglich",
        "Bitte zu einem Durchgang mit Personal gehen oder Hilfe rufen.",
    ),
    "liveness_unsure": (
        "Noch nicht sicher",
        "Einen Schritt näher kommen, in die Kamera schauen, den Pass noch einmal zeigen.",
    ),
    "pin_missing": ("PIN fehlt", "Zeigen Sie den Pass noch einmal und geben Sie die PIN ein."),
    "pin_wrong": ("PIN falsch", "Zeigen Sie den Pass noch einmal und geben Sie die PIN ein."),
    "keys_unavailable": ("Außer Betrieb", "Bitte einen anderen Durchgang benutzen."),
    "camera_lost": ("Kamera gestört", "Bitte einen anderen Durchgang benutzen."),
    "journal_unavailable": ("Außer Betrieb", "Bitte einen anderen Durchgang benutzen."),
    "barrier_unavailable": ("Schranke gestört", "Bitte einen anderen Durchgang benutzen; Ihr Pass gilt dort."),
}
