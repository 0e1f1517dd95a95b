"""The pages' own words in other languages than English; a test sees to it that none is missing."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sdmx_service.web import words_desk

_FRENCH: Mapping[str, str] = MappingProxyType(
    {
        "Statistical data exchange": "Échange de données statistiques",
        "Skip to the content": "Aller au contenu",
        "Main": "Principal",
        "Language": "Langue",
        "Dataflows": "Flux de données",
        "Structures": "Structures",
        "For machines": "Pour les machines",
        "Release {number}, {moment}": "Édition {number}, {moment}",
        "No release yet": "Aucune édition pour l’instant",
        "All dataflows over SDMX-REST": "Tous les flux de données par SDMX-REST",
        "no value": "pas de valeur",
        "Pages": "Pages",
        "First page": "Première page",
        "Previous page": "Page précédente",
        "Next page": "Page suivante",
        "Last page": "Dernière page",
        "Search": "Chercher",
        "Show all": "Tout afficher",
        "Official statistics in SDMX, the standard of statistical offices: to read here, to harvest by machine, "
        "to send in and publish.": "Des statistiques officielles en SDMX, la norme des instituts statistiques : à lire "
        "ici, à moissonner par machine, à transmettre et à publier.",
        "Maintained by": "Sous la responsabilité de",
        "Observations": "Observations",
        "Series": "Séries",
        "Releases": "Éditions",
        "Nothing is here yet": "Il n’y a encore rien ici",
        "The store holds no structures. Fill it from a folder of SDMX messages, then send in data:": "Aucune structure "
        "n’est enregistrée. Chargez un dossier de messages SDMX, puis transmettez des données :",
        "Find a dataflow by name, id or description": "Trouver un flux par nom, identifiant ou description",
        "{found} of {total} dataflows fit “{words}”.": "{found} flux sur {total} correspondent à « {words} ».",
        "No figures have been published yet": "Aucun chiffre n’a encore été publié",
        "The structures are here. Figures appear with the first release:": "Les structures sont là. Les chiffres "
        "paraissent avec la première édition :",
        "Without structure": "Sans structure",
        "Periods": "Périodes",
        "Last release": "Dernière édition",
        "No figures yet": "Pas encore de chiffres",
        "Recent releases": "Éditions récentes",
        "Release": "Édition",
        "Published": "Publiée",
        "Comment": "Commentaire",
        "To harvest": "Moissonner",
        "Any client of SDMX-REST can read everything here. The base addresses are:": "Tout client SDMX-REST peut tout "
        "lire ici. Les adresses de base sont :",
        "For example:": "Par exemple :",
        "the list of dataflows": "la liste des flux de données",
        "To send data": "Transmettre des données",
        "A provider sends the file it has: SDMX-CSV, SDMX-ML, or a national layout for which a mapping exists. It is "
        "checked, and what is wrong is said in the rows and columns of the file. A token says who sends.": "Un "
        "fournisseur transmet le fichier dont il dispose : SDMX-CSV, SDMX-ML ou un format national pour lequel une "
        "correspondance existe. Il est contrôlé, et les erreurs sont signalées dans les lignes et colonnes du fichier. "
        "Un jeton dit qui transmet.",
        "Over HTTP this is a POST to": "Par HTTP, c’est un POST vers",
        "The README and the folder docs of the program tell more.": "Le fichier README et le dossier docs du programme "
        "en disent plus.",
        "You are here": "Vous êtes ici",
        "Sent by": "Transmis par",
        "{count} observations": "{count} observations",
        "No figures have been published here yet": "Aucun chiffre n’a encore été publié ici",
        "The structure below says what this dataflow will hold. A provider sends data with:": "La structure ci-dessous "
        "dit ce que ce flux contiendra. Un fournisseur transmet des données par :",
        "Figures": "Chiffres",
        "Choose figures": "Choisir les chiffres",
        "from": "de",
        "to": "à",
        "Narrow the list": "Réduire la liste",
        "Nothing chosen means everything. In a list, Ctrl or ⌘ chooses several.": "Sans choix, tout est montré. Dans "
        "une liste, Ctrl ou ⌘ permet d’en choisir plusieurs.",
        "Show these figures": "Afficher ces chiffres",
        "This cannot be shown:": "Ceci ne peut être montré :",
        "No figure fits this choice.": "Aucun chiffre ne correspond à ce choix.",
        "{count} observations fit, and this page lies behind the last of them.": "{count} observations correspondent, "
        "et cette page est au-delà de la dernière.",
        "in {count} series": "en {count} séries",
        "shown are {first} to {last}": "affichées : {first} à {last}",
        "The same in all rows shown": "Identique dans toutes les lignes affichées",
        "This data as": "Ces données en",
        "Structure": "Structure",
        "Address for machines": "Adresse pour les machines",
        "To cite": "Pour citer",
        "Component": "Composant",
        "Name": "Nom",
        "Role": "Rôle",
        "Values": "Valeurs",
        "Codes used": "Codes utilisés",
        "Dimension": "Dimension",
        "Time dimension": "Dimension temporelle",
        "Measure": "Mesure",
        "Attribute of the observation": "Attribut de l’observation",
        "Attribute of the data set": "Attribut de l’ensemble de données",
        "Attribute of the series": "Attribut de la série",
        "Attribute of the group": "Attribut du groupe",
        "mandatory": "obligatoire",
        "{used} of {total}": "{used} sur {total}",
        "This structure over SDMX-REST, with everything it refers to": "Cette structure par SDMX-REST, avec tout ce à "
        "quoi elle renvoie",
        "What describes the data: dataflows, data structures, codelists, concepts, and whatever else the catalog "
        "holds.": "Ce qui décrit les données : flux, structures de données, listes de codes, concepts et tout ce que "
        "contient le catalogue.",
        "Find a structure by name or id": "Trouver une structure par nom ou identifiant",
        "Nothing fits “{words}”.": "Rien ne correspond à « {words} ».",
        "Id": "Identifiant",
        "Version": "Version",
        "Items": "Éléments",
        "Message": "Message",
        "Used in": "Utilisée dans",
        "Codes": "Codes",
        "Code": "Code",
        "Part of": "Partie de",
        "Description": "Description",
        "Find a code by name or id": "Trouver un code par nom ou identifiant",
        "{found} of {total} codes": "{found} codes sur {total}",
        "{total} codes": "{total} codes",
        "This list as": "Cette liste en",
        "This address cannot be read": "Cette adresse est illisible",
        "Not here": "Pas ici",
        "Not built yet": "Pas encore construit",
        "The store cannot be read now": "Les données ne peuvent être lues pour l’instant",
        "Something went wrong": "Une erreur est survenue",
        "Perhaps you meant": "Vous cherchiez peut-être",
        "All dataflows": "Tous les flux de données",
        "All structures": "Toutes les structures",
        "The first {shown} are shown. Search for a name or id to find another.": "Les {shown} premiers sont affichés. "
        "Cherchez un nom ou un identifiant pour en trouver d’autres.",
        "All as a message": "Tous, dans un message",
        "Reference metadata": "Métadonnées de référence",
        "Whose figures these are, and those of the other providers": "De qui viennent ces chiffres, et ceux des autres "
        "fournisseurs",
        "Sources": "Sources",
        "Where several providers give a figure for the same key, the one that stands first here is shown; the others "
        "can be read too.": "Si plusieurs fournisseurs donnent un chiffre pour la même clé, celui qui vient ici en "
        "tête est affiché ; les autres peuvent être lus aussi.",
        "Precedence": "Ordre de priorité",
        "The order is what the provision agreements say.": "L'ordre est celui que disent les accords de fourniture.",
        "The first of them were put there by a decision; the others stand as the provision agreements say.": (
            "Les premiers ont été placés par une décision ; les autres suivent selon les accords de fourniture."
        ),
        "reports for {code}": "déclare pour {code}",
        "Its own figures": "Ses propres chiffres",
        "Figures are rounded to multiples of {base}, each by itself: totals need not be the sum of their parts.": "Les "
        "chiffres sont arrondis à des multiples de {base}, chacun pour soi : un total n’est pas toujours la somme de "
        "ses parties.",
        "Who submitted what": "Qui a transmis quoi",
        "Year": "Année",
        "Submitted": "Transmis",
        "By": "Par",
        "Given": "Donnés",
        "Shown": "Affichés",
        "Compared with the others": "Comparés aux autres",
        "directly": "directement",
        "through a partner": "par un partenaire",
        "both, the same figures": "les deux, mêmes chiffres",
        "both, other figures": "les deux, chiffres différents",
        "both, nothing to compare": "les deux, rien à comparer",
        "{equal} equal, {unequal} other": "{equal} égaux, {unequal} différents",
        # classes of artefacts
        "Dataflow": "Flux de données",
        "DataStructure": "Structures de données",
        "Codelist": "Listes de codes",
        "ValueList": "Listes de valeurs",
        "ConceptScheme": "Schémas de concepts",
        "AgencyScheme": "Agences",
        "DataProviderScheme": "Fournisseurs de données",
        "ProvisionAgreement": "Accords de transmission",
        "StructureMap": "Correspondances de structures",
        "RepresentationMap": "Correspondances de codes",
        "CategoryScheme": "Thèmes",
        "Categorisation": "Rattachements aux thèmes",
        "DataConstraint": "Contraintes",
        "Hierarchy": "Hiérarchies",
        "HierarchyAssociation": "Rattachements de hiérarchies",
        "MetadataStructure": "Structures de métadonnées",
        "Metadataflow": "Flux de métadonnées",
        "MetadataProviderScheme": "Fournisseurs de métadonnées",
        "MetadataProvisionAgreement": "Accords de transmission de métadonnées",
        "MetadataSet": "Jeux de métadonnées",
    }
)

_ENGLISH: Mapping[str, str] = MappingProxyType(
    {
        "Dataflow": "Dataflows",
        "DataStructure": "Data structures",
        "Codelist": "Codelists",
        "ValueList": "Value lists",
        "ConceptScheme": "Concept schemes",
        "AgencyScheme": "Agencies",
        "DataProviderScheme": "Data providers",
        "ProvisionAgreement": "Provision agreements",
        "StructureMap": "Structure maps",
        "RepresentationMap": "Representation maps",
        "CategoryScheme": "Category schemes",
        "Categorisation": "Categorisations",
        "DataConstraint": "Constraints",
        "Hierarchy": "Hierarchies",
        "HierarchyAssociation": "Hierarchy associations",
        "MetadataStructure": "Metadata structures",
        "Metadataflow": "Metadataflows",
        "MetadataProviderScheme": "Metadata providers",
        "MetadataProvisionAgreement": "Metadata provision agreements",
        "MetadataSet": "Metadata sets",
    }
)

WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"en": {**_ENGLISH, **words_desk.ENGLISH}, "fr": {**_FRENCH, **words_desk.FRENCH}}
)
"""Page language -> English words -> words of that language; what is not in it stays English."""
