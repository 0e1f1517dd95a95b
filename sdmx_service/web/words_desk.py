"""The words of the pages on which people sign in and send, in other languages than English."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ENGLISH: Mapping[str, str] = MappingProxyType(
    {
        "role provider": "sends for a provider",
        "role reader": "reads before the hour",
        "role reviewer": "reviews",
        "role publisher": "publishes",
        "role administrator": "administers",
        "status received": "received",
        "status refused": "refused",
        "status accepted": "accepted",
        "status approved": "approved",
        "status scheduled": "scheduled",
        "status published": "published",
        "status superseded": "superseded",
        "status withdrawn": "withdrawn",
        "step approve": "Approve",
        "step refuse": "Send back",
        "step schedule": "Publish at its hour",
        "step hold": "Take off its moment",
        "step publish": "Publish",
        "expected late": "late",
        "expected partial": "partly there",
        "expected expected": "expected",
        "expected not asked": "not asked for yet",
        "expected covered": "covered by a partner",
        "expected complete": "complete",
        "severity error": "Error",
        "severity warning": "Warning",
        "severity info": "Note",
    }
)

FRENCH: Mapping[str, str] = MappingProxyType(
    {
        "role provider": "transmet pour un fournisseur",
        "role reader": "lit avant l’heure",
        "role reviewer": "examine",
        "role publisher": "publie",
        "role administrator": "administre",
        "status received": "reçu",
        "status refused": "refusé",
        "status accepted": "accepté",
        "status approved": "approuvé",
        "status scheduled": "programmé",
        "status published": "publié",
        "status superseded": "remplacé",
        "status withdrawn": "retiré",
        "step approve": "Approuver",
        "step refuse": "Renvoyer",
        "step schedule": "Publier à l’heure dite",
        "step hold": "Retirer de son heure",
        "step publish": "Publier",
        "expected late": "en retard",
        "expected partial": "reçu en partie",
        "expected expected": "attendu",
        "expected not asked": "pas encore demandé",
        "expected covered": "couvert par un partenaire",
        "expected complete": "complet",
        "Calendar": "Calendrier",
        "Which figures are expected from whom by when, what has come, and what is late.": (
            "Quels chiffres sont attendus de qui et pour quand, ce qui est arrivé et ce qui est en retard."
        ),
        "What is expected": "Ce qui est attendu",
        "Nothing is expected.": "Rien n’est attendu.",
        "Due": "Échéance",
        "Collection": "Collecte",
        "Year": "Année",
        "Still outstanding": "Manque encore",
        "Covered by": "Couvert par",
        "What it changes": "Ce qu’il change",
        "It was taken back; its figures are forgotten.": "Il a été retiré ; ses chiffres sont oubliés.",
        "Reminder due since": "Rappel dû depuis",
        "by {days} days": "de {days} jours",
        "The figures are approved and wait for publication.": (
            "Les chiffres sont approuvés et attendent leur publication."
        ),
        "The figures are published on {moment}.": "Les chiffres paraissent le {moment}.",
        "A newer version took the place of this one.": "Une version plus récente a remplacé celle-ci.",
        "It corrects": "Elle corrige",
        "It was corrected by": "Elle a été corrigée par",
        "Under an embargo until {moment}.": "Sous embargo jusqu’au {moment}.",
        "What may be done now": "Ce qui peut être fait maintenant",
        "Reason or comment": "Motif ou commentaire",
        "Moment, such as 2026-12-01T08:00; without one the end of the embargo": (
            "Moment, par exemple 2026-12-01T08:00 ; sinon la fin de l’embargo"
        ),
        "Time zone, such as Europe/Malta": "Fuseau horaire, par exemple Europe/Malta",
        "Comments": "Commentaires",
        "Say something to the other side": "Dire quelque chose à l’autre partie",
        "Say it": "Le dire",
        "What was done": "Ce qui a été fait",
        "When": "Quand",
        "Who": "Qui",
        "What": "Quoi",
        "Why": "Pourquoi",
        "severity error": "Erreur",
        "severity warning": "Avertissement",
        "severity info": "Remarque",
        "Sign in first": "Connectez-vous d’abord",
        "This may not be done": "Ceci n’est pas permis",
        "Too large": "Trop grand",
        "Not possible now": "Impossible à présent",
        "The sign-in provider does not answer": "Le fournisseur de connexion ne répond pas",
        "Too many attempts": "Trop de tentatives",
        "Account": "Compte",
        "Send data": "Transmettre",
        "Sign in": "Se connecter",
        "For offices that send data and for those who look after them. Reading published figures needs no account.": (
            "Pour les offices qui transmettent des données et pour ceux qui s’en occupent. Lire les "
            "chiffres publiés ne demande aucun compte."
        ),
        "With your organisation’s account": "Avec le compte de votre organisation",
        "Sign in with {provider}": "Se connecter avec {provider}",
        "With an account of this service": "Avec un compte de ce service",
        "Account name": "Nom du compte",
        "Password": "Mot de passe",
        "Password forgotten? An administrator of the service can send you a new invitation.": (
            "Mot de passe oublié ? Un administrateur du service peut vous envoyer une nouvelle invitation."
        ),
        "This did not work:": "Cela n’a pas marché :",
        "New password": "Nouveau mot de passe",
        "At least {count} characters. Several words that only you would put together are good; names "
        "and runs like 1234 do not count.": (
            "Au moins {count} caractères. Plusieurs mots que vous seul assembleriez conviennent ; les noms "
            "et les suites comme 1234 ne comptent pas."
        ),
        "The same once more": "Le même encore une fois",
        "Choose your password": "Choisissez votre mot de passe",
        "For the account {name}. Nobody else gets to know it; this invitation works once.": (
            "Pour le compte {name}. Personne d’autre ne le connaîtra ; cette invitation ne sert qu’une fois."
        ),
        "Set password and sign in": "Enregistrer et se connecter",
        "Signed out": "Déconnecté",
        "This browser is signed out here.": "Ce navigateur est déconnecté ici.",
        "At {provider} you may still be signed in; sign out there too if others use this computer.": (
            "Chez {provider} vous êtes peut-être encore connecté ; déconnectez-vous là aussi si d’autres "
            "utilisent cet ordinateur."
        ),
        "Sends for": "Transmet pour",
        "Sign out": "Se déconnecter",
        "What you may do": "Ce que vous pouvez faire",
        "your own": "les vôtres",
        "Change the password": "Changer le mot de passe",
        "All other browsers are signed out.": "Tous les autres navigateurs sont déconnectés.",
        "Present password": "Mot de passe actuel",
        "Second factor": "Second facteur",
        "Code of the second factor": "Code du second facteur",
        "Code of the second factor, if you have set one up": "Code du second facteur, si vous en avez activé un",
        "Signing in needs a code of your app as well. Who lost the app asks an administrator of the service.": (
            "La connexion demande aussi un code de votre application. Qui l’a perdue s’adresse à un administrateur du "
            "service."
        ),
        "Remove the second factor": "Retirer le second facteur",
        "Let an app that makes codes (TOTP) read this picture, or type the key below it into the app, or open the link "
        "on the device with the app; then type the code that it shows.": (
            "Faites lire cette image par une application qui produit des codes (TOTP), ou saisissez-y la clé qui "
            "figure en dessous, ou ouvrez le lien sur l’appareil où elle se trouve ; tapez ensuite le code qu’elle "
            "affiche."
        ),
        "Open in the app": "Ouvrir dans l’application",
        "Code that the app shows": "Code affiché par l’application",
        "Let it count": "Activer",
        "With a second factor, who knows the password alone cannot sign in.": (
            "Avec un second facteur, le mot de passe seul ne suffit plus pour se connecter."
        ),
        "Set up a second factor": "Activer un second facteur",
        "Other browsers": "Autres navigateurs",
        "Sign out everywhere": "Se déconnecter partout",
        "Signed in as {name}.": "Connecté : {name}.",
        "A file": "Un fichier",
        "Dataflow of the file": "Flux de données du fichier",
        "as the file says": "comme le dit le fichier",
        "Provider, where the file does not say it": "Fournisseur, si le fichier ne le dit pas",
        "A certain mapping": "Une correspondance précise",
        "Its id; without one it is recognised": "Son identifiant ; sinon elle est reconnue",
        "File: SDMX message, workbook, CSV, or a zip of these": (
            "Fichier : message SDMX, classeur, CSV ou un zip de ceux-ci"
        ),
        "Send": "Transmettre",
        "Only check": "Contrôler seulement",
        "A file is taken whole or not at all. What is wrong is said in its own rows and columns; "
        "sending does not publish yet.": (
            "Un fichier est pris en entier ou pas du tout. Les erreurs sont dites dans ses propres lignes "
            "et colonnes ; transmettre ne publie pas encore."
        ),
        "Sent so far": "Transmis jusqu’ici",
        "Nothing yet.": "Rien pour l’instant.",
        "The newest {count} are shown.": "Les {count} plus récents sont montrés.",
        "File": "Fichier",
        "Received": "Reçu",
        "Status": "Statut",
        "Errors": "Erreurs",
        "Warnings": "Avertissements",
        "Notes": "Remarques",
        "The file was checked and not sent.": "Le fichier a été contrôlé, pas transmis.",
        "Sent so, it would be refused.": "Transmis ainsi, il serait refusé.",
        "Sent so, it would be accepted.": "Transmis ainsi, il serait accepté.",
        "Nothing of the file was taken. Correct what is marked as an error, and send it again.": (
            "Rien du fichier n’a été pris. Corrigez ce qui est marqué comme erreur et transmettez-le à nouveau."
        ),
        "The file is taken whole and waits for publication.": (
            "Le fichier est pris en entier et attend sa publication."
        ),
        "The figures are published, in release {number}.": "Les chiffres sont publiés, dans l’édition {number}.",
        "The file takes the place of an earlier one:": "Le fichier remplace un fichier antérieur :",
        "Send a corrected file": "Transmettre un fichier corrigé",
        "What was read": "Ce qui a été lu",
        "Submission": "Transmission",
        "Format": "Format",
        "Mapping": "Correspondance",
        "none": "aucune",
        "Provider": "Fournisseur",
        "New": "Nouveaux",
        "Changed": "Modifiés",
        "Unchanged": "Inchangés",
        "Deleted": "Supprimés",
        "Take it back": "Retirer",
        "Findings": "Constats",
        "All of them as": "Tous en",
        "Your table, marked (Excel)": "Votre tableau, annoté (Excel)",
        "A page to pass on": "Une page à transmettre",
        "Nothing was found.": "Rien à signaler.",
        "Sheet": "Feuille",
        "Row": "Ligne",
        "Column": "Colonne",
        "Value": "Valeur",
        "Expected": "Attendu",
        "Nearest": "Le plus proche",
        "Key": "Clé",
        "and {count} more": "et {count} autres",
        "Rules not run, since they need the store’s history:": (
            "Règles non exécutées, car elles demandent l’historique :"
        ),
    }
)
