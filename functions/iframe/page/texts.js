// All that the page says, by language. In braces: values.
const TEXTS = {
  en: {
    outside: 'This page belongs inside the PIM. Open it there: it cannot know here who you are.',
    connecting: 'Connecting to the PIM…',
    silent: 'The PIM does not say who you are. Reload the page; if that does not help, ask your administrator whether this extension has a secret.',
    refused: 'The PIM says who you are, but its proof was refused. Ask your administrator whether the extension’s secret is the same on both sides.',
    uuidless: 'Your PIM is too old for this page: it does not say who its users are.',
    network: 'No connection. Trying again…',
    trouble: 'This does not work at the moment. Please try again.',
    again: 'Try again',
    actions: 'Actions',
    selection: 'Selected: {what}',
    products: { one: '{n} product', other: '{n} products' },
    models: { one: '{n} product model', other: '{n} product models' },
    categories: { one: '{n} category', other: '{n} categories' },
    nothing: 'Nothing is selected.',
    finds: 'Nothing is selected: the actions take what the selection “{name}” finds.',
    tooMany: 'At most {max} items can be sent at once; {n} are selected.',
    starting: 'Starting…',
    started: '{label} started.',
    repeated: '{label} was started before.',
    running: 'Already running since {since}.',
    offered: 'This page does not offer that.',
    large: 'The selection is too large for one job.',
    jobs: 'My jobs',
    none: 'No jobs yet.',
    older: 'Show older jobs',
    action: 'Action',
    state: 'State',
    progress: 'Progress',
    time: 'Started',
    buttons: 'Buttons',
    details: 'Details',
    detailsOf: 'Details of {label}, {since}',
    cancel: 'Cancel',
    cancelling: 'Cancelling…',
    cancelOf: 'Cancel {label}, {since}',
    retry: 'Retry what failed',
    giveUp: 'Stop waiting',
    giveUpOf: 'Stop waiting for the answer to {label}, {since}: its items fail',
    asDone: 'It is done',
    asDoneOf: 'Say that {label} is done, {since}',
    past: 'This has changed meanwhile. The list shows where it stands.',
    download: 'Download',
    downloadOf: 'Download what {label} made, {since}',
    undo: 'Undo',
    undoOf: 'Undo {label}, {since}',
    undoJob: 'Undo: {label}',
    undoing: 'Undo of {label} started.',
    undoWhat: 'Undo: restores what this job changed where nobody has changed it since.',
    undoNow: 'Undo now',
    keep: 'Keep the changes',
    standing: 'This cannot be undone now: it is being undone already, or nothing of it can be taken back. The list shows where it stands.',
    counts: '{done} of {total}',
    countsFailed: '{done} of {total}, {failed} failed',
    soFar: '{counted} so far',
    soFarFailed: '{counted} so far, {failed} failed',
    item: 'Item',
    why: 'Why it failed',
    failures: 'What failed',
    loading: 'Loading…',
    noFailures: 'No item has failed.',
    id: 'Job ID: {id}',
    by: 'Started by {user}',
    ended: '{label}: {state}.',
    context: 'Context',
    hint: 'As the PIM’s page says. The server checks none of it.',
    states: {
      recorded: 'Queued', queued: 'Queued', running: 'Running', waiting: 'Waiting',
      succeeded: 'Done', partial: 'Partly done', failed: 'Failed', cancelled: 'Cancelled',
    },
    items: { product: 'Product', product_model: 'Product model', category: 'Category', entry: 'Entry' },
    names: {
      position: 'Position', tenant: 'PIM', locale: 'Locale', channel: 'Channel', groups: 'Groups', filters: 'Filters', count: 'Items in the grid',
      'user[id]': 'User', 'user[uuid]': 'User UUID', 'user[username]': 'Username', 'user[email]': 'E-mail',
      'user[ui_locale]': 'Language', 'user[catalog_locale]': 'Locale at the start', 'user[catalog_scope]': 'Channel at the start',
      'product[uuid]': 'Product UUID', 'product[identifier]': 'Identifier', 'product[code]': 'Product model', 'category[code]': 'Category',
      'reference_entity[code]': 'Reference entity', 'record[code]': 'Record',
    },
  },
  fr: {
    outside: 'Cette page a sa place dans le PIM. Ouvrez-la là-bas : ici, elle ne peut pas savoir qui vous êtes.',
    connecting: 'Connexion au PIM…',
    silent: 'Le PIM ne dit pas qui vous êtes. Rechargez la page ; sinon, demandez à votre administrateur si cette extension a un secret.',
    refused: 'Le PIM dit qui vous êtes, mais sa preuve a été refusée. Demandez à votre administrateur si le secret de l’extension est le même des deux côtés.',
    uuidless: 'Votre PIM est trop ancien pour cette page : il ne dit pas qui sont ses utilisateurs.',
    network: 'Pas de connexion. Nouvel essai…',
    trouble: 'Cela ne fonctionne pas pour le moment. Veuillez réessayer.',
    again: 'Réessayer',
    actions: 'Actions',
    selection: 'Sélection : {what}',
    products: { one: '{n} produit', other: '{n} produits' },
    models: { one: '{n} modèle de produit', other: '{n} modèles de produit' },
    categories: { one: '{n} catégorie', other: '{n} catégories' },
    nothing: 'Rien n’est sélectionné.',
    finds: 'Rien n’est sélectionné : les actions prennent ce que trouve la sélection « {name} ».',
    tooMany: '{max} éléments au plus par envoi ; {n} sont sélectionnés.',
    starting: 'Lancement…',
    started: '{label} : lancé.',
    repeated: '{label} : déjà lancé.',
    running: 'Déjà en cours depuis {since}.',
    offered: 'Cette page ne propose pas cela.',
    large: 'La sélection est trop volumineuse pour un seul traitement.',
    jobs: 'Mes traitements',
    none: 'Aucun traitement pour l’instant.',
    older: 'Afficher les plus anciens',
    action: 'Action',
    state: 'État',
    progress: 'Progression',
    time: 'Lancé',
    buttons: 'Boutons',
    details: 'Détails',
    detailsOf: 'Détails de {label}, {since}',
    cancel: 'Annuler',
    cancelling: 'Annulation…',
    cancelOf: 'Annuler {label}, {since}',
    retry: 'Relancer les échecs',
    giveUp: 'Ne plus attendre',
    giveUpOf: 'Ne plus attendre la réponse à {label}, {since} : ses éléments échouent',
    asDone: 'C’est fait',
    asDoneOf: 'Dire que {label} est fait, {since}',
    past: 'Cela a changé entre-temps. La liste montre où cela en est.',
    download: 'Télécharger',
    downloadOf: 'Télécharger le fichier de {label}, {since}',
    undo: 'Défaire',
    undoOf: 'Défaire {label}, {since}',
    undoJob: 'Retour arrière : {label}',
    undoing: '{label} : retour arrière lancé.',
    undoWhat: 'Défaire : rétablit ce que ce traitement a modifié, là où personne ne l’a modifié depuis.',
    undoNow: 'Défaire maintenant',
    keep: 'Garder les modifications',
    standing: 'Impossible de défaire ce traitement : un retour arrière est déjà en cours, ou rien ne peut être rétabli. La liste indique où il en est.',
    counts: '{done} sur {total}',
    countsFailed: '{done} sur {total}, {failed} en échec',
    soFar: '{counted} pour l’instant',
    soFarFailed: '{counted} pour l’instant, {failed} en échec',
    item: 'Élément',
    why: 'Cause de l’échec',
    failures: 'Échecs',
    loading: 'Chargement…',
    noFailures: 'Aucun élément en échec.',
    id: 'Job ID: {id}',
    by: 'Lancé par {user}',
    ended: '{label} : {state}.',
    context: 'Contexte',
    hint: 'Tel que l’indique la page du PIM. Le serveur n’en vérifie rien.',
    states: {
      recorded: 'En attente', queued: 'En attente', running: 'En cours', waiting: 'En pause',
      succeeded: 'Terminé', partial: 'Partiel', failed: 'Échec', cancelled: 'Annulé',
    },
    items: { product: 'Produit', product_model: 'Modèle de produit', category: 'Catégorie', entry: 'Entrée' },
    names: {
      position: 'Position', tenant: 'PIM', locale: 'Langue', channel: 'Canal', groups: 'Groupes', filters: 'Filtres', count: 'Éléments de la grille',
      'user[id]': 'Utilisateur', 'user[uuid]': 'UUID de l’utilisateur', 'user[username]': 'Nom d’utilisateur', 'user[email]': 'E-mail',
      'user[ui_locale]': 'Langue de l’interface', 'user[catalog_locale]': 'Langue au départ', 'user[catalog_scope]': 'Canal au départ',
      'product[uuid]': 'UUID du produit', 'product[identifier]': 'Identifiant', 'product[code]': 'Modèle de produit', 'category[code]': 'Catégorie',
      'reference_entity[code]': 'Entité de référence', 'record[code]': 'Fiche',
    },
  },
};

// language is a user's, from a locale as the PIM writes it (fr_FR).
class Language {
  constructor(locale) {
    this.code = locale || 'en_US';
    this.tag = 'en';
    try {
      this.tag = Intl.getCanonicalLocales(this.code.replaceAll('_', '-'))[0];
    } catch { /* a locale that is none: English */ }
    const short = this.tag.slice(0, 2);
    this.texts = Object.hasOwn(TEXTS, short) ? TEXTS[short] : TEXTS.en;
    this.plural = new Intl.PluralRules(this.tag);
    this.relative = new Intl.RelativeTimeFormat(this.tag, { numeric: 'always' });
    this.absolute = new Intl.DateTimeFormat(this.tag, { dateStyle: 'medium', timeStyle: 'medium' });
    this.clock = new Intl.DateTimeFormat(this.tag, { timeStyle: 'short' });
  }

  // spoken is the locale that the page's own words are in, which what the server says must be in too.
  get spoken() {
    return this.texts === TEXTS[this.tag.slice(0, 2)] ? this.code : 'en_US';
  }

  say(name, values = {}) {
    let text = this.texts[name];
    if (typeof text === 'object') text = text[this.plural.select(values.n)] ?? text.other;
    return text.replace(/\{(\w+)\}/g, (all, key) => values[key] ?? all);
  }

  // of is a text of a group, or the name itself: what comes from outside may name anything.
  of(group, name) {
    return Object.hasOwn(this.texts[group], name) ? this.texts[group][name] : name;
  }

  // label is an extension's own text: the locale's, else the same language's, else the default.
  label(text, fallback) {
    const near = Object.keys(text).sort().find((key) => key.startsWith(`${this.code.slice(0, 2)}_`));
    return text[this.code] ?? text[near] ?? text.default ?? fallback;
  }

  ago(date, now = Date.now()) {
    const seconds = Math.min(0, Math.round((date - now) / 1000));
    for (const [unit, size] of [['day', 86400], ['hour', 3600], ['minute', 60]]) {
      if (-seconds >= size) return this.relative.format(Math.trunc(seconds / size), unit);
    }
    return this.relative.format(seconds, 'second');
  }
}
